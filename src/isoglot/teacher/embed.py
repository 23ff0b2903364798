"""The teacher pass: every distinct sentence of a request embedded once into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TeacherConfig
from isoglot.disk import explaining_full_disk
from isoglot.errors import IsoglotError, RequestError
from isoglot.lock import exclusive
from isoglot.progress import SILENT, Progress
from isoglot.scale.plan import WHOLE, Chunk, Part
from isoglot.scale.pool import Pool, run_in_processes
from isoglot.teacher.axes import AXES, write_axes
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher, encode_each
from isoglot.teacher.reduced import held_axes, reduce, with_axes
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_header import HEADER, Header
from isoglot.teacher.store_write import StoreWriter, Work

_SAME_MODEL = 0.99  # cosine; rounding, batches and int8 stores cost less than a thousandth


def embed(
    texts: Sequence[str],
    teacher: Teacher,
    config: TeacherConfig,
    folder: Path,
    progress: Progress = SILENT,
    processes: int = 1,
    part: Part = WHOLE,
    known: Path | None = None,
) -> Store:
    """Put the teacher's vector of every distinct sentence into the store at `folder`; what is there already stays.

    Args:
        texts: sentences, repeats allowed.
        teacher: the owner of the space; reduced here when `config.dimension` says so.
        config: chunk size, precision, reduction; other processes open the teacher from it.
        folder: the store, made when missing.
        progress: where to report.
        processes: how many embed; with 1 this process itself. The bytes of the shards do not depend on it.
        part: which chunks of the plan to do.
        known: a store of the same space whose sentences are left out: the one that the parts will be merged into.

    Returns:
        The store, holding at least `texts` (or the part of them, or what `known` lacks), which proves every shard
        before it reads it.

    Raises:
        RequestError: the store holds another space.
        IsoglotError: another process writes to it, a worker died, the teacher gave vectors that are no finite
            numbers, or no longer gives those that the store holds.
    """
    with explaining_full_disk(folder), exclusive(folder):
        other = None if known is None else Store.open(known)
        teacher = _as_asked(teacher, config, texts, (folder, other), progress)
        store = StoreWriter.create(folder, teacher.space(), config.chunk_rows, config.store_precision)
        texts = texts if other is None else _beyond(other, store, texts)
        work = store.work_for(texts)
        left = work.left(part.chunks(work.plan))
        if left:
            _refuse_drift(store, work, texts, teacher)
        with progress.task("teacher vectors", sum(chunk.rows for chunk in left), "sentences") as task:
            for chunk, vectors in _vectors(left, work, teacher, (config, folder), processes):
                if vectors.dtype.kind != "f":
                    raise IsoglotError(f"The teacher gave {vectors.dtype} instead of floating-point numbers.")
                store.commit(chunk, work.keys[chunk.start : chunk.stop], vectors)
                task.advance(chunk.rows)
        store.seal()
    return store


def _vectors(
    left: Sequence[Chunk], work: Work, teacher: Teacher, again: tuple[TeacherConfig, Path], processes: int
) -> Iterator[tuple[Chunk, NDArray[np.float32]]]:
    """Embed chunks here or in worker processes, which open the teacher again."""

    def texts_of(chunk: Chunk) -> list[str]:
        return work.texts[chunk.start : chunk.stop]

    if processes == 1 or len(left) <= 1:
        yield from zip(left, encode_each(teacher, [texts_of(chunk) for chunk in left]), strict=True)
    else:
        pool = Pool(min(processes, len(left)), partial(_open_again, *again))
        yield from run_in_processes(left, texts_of, pool)


def _open_again(config: TeacherConfig, folder: Path) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Open the teacher in a worker process, along the axes that the store holds."""
    teacher, _ = open_teacher(config)
    return (teacher if config.dimension is None else with_axes(teacher, folder / AXES)).encode


def _beyond(other: Store, store: Store, texts: Sequence[str]) -> list[str]:
    """Leave out the sentences that another store holds."""
    _refuse_known(other, store.header)
    _, held = other.find([key_of(text) for text in texts])
    return [text for text, there in zip(texts, held, strict=True) if not there]


def _as_asked(
    teacher: Teacher,
    config: TeacherConfig,
    texts: Sequence[str],
    stores: tuple[Path, Store | None],
    progress: Progress,
) -> Teacher:
    """Reduce the teacher when the request says so: to the axes of the store, or of the known one, or to new ones."""
    folder, known = stores
    for there in (folder,) if known is None else (folder, known.folder):
        _refuse_other_width(there, config)
    if config.dimension is None:
        return teacher
    if known is not None and not (folder / AXES).is_file():
        found = held_axes(teacher, config, known.folder)
        _refuse_known(
            known, Header(found.space(), found.dimension, config.chunk_rows, config.store_precision)
        )
        write_axes(folder / AXES, found.axes, found.asked)
    return reduce(teacher, config, texts, folder, progress)


def _refuse_known(known: Store, wanted: Header) -> None:
    """Refuse a known store of another space."""
    known.header.refuse_other(wanted, known.folder, "Give the store that this pass continues.")


def _refuse_other_width(folder: Path, config: TeacherConfig) -> None:
    """Refuse a store of a reduced space where the whole one is wanted, and the other way round."""
    reduced = (folder / AXES).is_file()
    if (reduced or (folder / HEADER).is_file()) and reduced != (config.dimension is not None):
        raise RequestError(
            f"{folder} holds vectors of another space: its dimensions are {'reduced' if reduced else 'whole'}.",
            "Give another store, or mend teacher.dimension.",
        )


def _refuse_drift(store: Store, work: Work, texts: Sequence[str], teacher: Teacher) -> None:
    """Embed one sentence again that the store holds already: a server can swap its model and keep the name."""
    done = next((chunk for chunk in work.plan if chunk.id in work.done), None)
    lacking = frozenset(work.keys)
    held = work.texts[done.start] if done else next((t for t in texts if key_of(t) not in lacking), None)
    if held is None:
        return
    there, now = store.vectors([held])[0], teacher.encode([held])[0]
    cosine = float(there @ now) / max(float(np.linalg.norm(there) * np.linalg.norm(now)), 1e-30)
    if not cosine > _SAME_MODEL:
        raise IsoglotError(
            f"The teacher no longer gives the vectors that {store.folder} holds: {held[:60]!r} has a cosine of"
            f" {cosine:.3f} to its own vector there.",
            "The model behind its name was changed: give another --store, and embed anew.",
        )
