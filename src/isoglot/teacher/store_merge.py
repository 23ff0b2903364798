"""Parts of one plan, embedded on several machines into stores of their own, become one store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isoglot.artefact import digest_bytes
from isoglot.disk import explaining_full_disk
from isoglot.errors import RequestError
from isoglot.lock import exclusive
from isoglot.progress import SILENT, Progress
from isoglot.teacher.axes import AXES, read_axes, write_axes
from isoglot.teacher.store import Store
from isoglot.teacher.store_index import Entry
from isoglot.teacher.store_shard import damaged
from isoglot.teacher.store_write import StoreWriter


def merge(parts: Sequence[Path], folder: Path, progress: Progress = SILENT) -> Store:
    """Copy the shards of several stores into one, in the order of the plan: the store that one machine would make.

    Shards that are there already stay, so an interrupted merge goes on where it was.

    Args:
        parts: stores of one space, such as those of `isoglot embed --shard 1/8` to `8/8`.
        folder: the store to fill, made when missing.
        progress: where to report.

    Raises:
        RequestError: a part is no store, or they are not of one space.
        DamagedError: a shard does not match its sha256.
        IsoglotError: another process writes to `folder`.
    """
    stores = [Store.open(part) for part in parts]
    if any(part.resolve() == folder.resolve() for part in parts):
        raise RequestError(f"{folder} cannot be merged into itself.", "Give another --store.")
    with exclusive(folder), explaining_full_disk(folder):
        header = stores[0].header
        for store in stores[1:]:
            store.header.refuse_other(header, store.folder, f"Merge only parts of the plan of {parts[0]}.")
        target = StoreWriter.create(folder, header.space, header.chunk_rows, header.store_precision)
        if (parts[0] / AXES).is_file():
            write_axes(folder / AXES, *read_axes(parts[0] / AXES))
        wanted = _in_order_of_the_plan(stores, {entry.chunk for entry in target.entries.values()})
        with progress.task("merge", len(wanted), "shards") as task:
            for entry, path in wanted:
                target.commit_packed(entry.chunk, entry.rows, _proved(path, entry))
                task.advance()
        target.seal()
    return target


def _in_order_of_the_plan(stores: Sequence[Store], there: set[str]) -> list[tuple[Entry, Path]]:
    """List the shards that are not there yet, each once, by their first key, as plans are cut."""
    found = {
        entry.chunk: (bytes(store.shards[number].keys[0]), entry, store.path_of(entry.chunk))
        for store in stores
        for number, entry in store.entries.items()
        if entry.chunk not in there
    }
    return [(entry, path) for _, entry, path in sorted(found.values(), key=lambda one: one[0])]


def _proved(path: Path, entry: Entry) -> bytes:
    data = path.read_bytes()
    if digest_bytes(data) != entry.sha256:
        raise damaged(path, "does not match its sha256")
    return data
