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
from isoglot.teacher.axes import AXES, read_axes, write_axes
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher, encode_each
from isoglot.teacher.reduced import reduce, with_axes
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_header import HEADER
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
        if known is not None and (known / AXES).is_file() and not (folder / AXES).is_file():
            write_axes(folder / AXES, *read_axes(known / AXES))
        teacher = _as_asked(teacher, config, texts, folder, progress)
        store = StoreWriter.create(folder, teacher.space(), config.chunk_rows, config.store_precision)
        texts = texts if known is None else _beyond(known, store, texts)
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


def _beyond(known: Path, store: Store, texts: Sequence[str]) -> list[str]:
    """Leave out the sentences that another store holds."""
    other = Store.open(known)
    other.header.refuse_other(store.header, known, "Give the store that this pass continues.")
    _, held = other.find([key_of(text) for text in texts])
    return [text for text, there in zip(texts, held, strict=True) if not there]


def _as_asked(
    teacher: Teacher, config: TeacherConfig, texts: Sequence[str], folder: Path, progress: Progress
) -> Teacher:
    """Reduce the teacher when the request says so; refuse a store that was begun the other way."""
    reduced = (folder / AXES).is_file()
    if (reduced or (folder / HEADER).is_file()) and reduced != (config.dimension is not None):
        raise RequestError(
            f"{folder} holds vectors of another space: its dimensions are {'reduced' if reduced else 'whole'}.",
            "Give another --store, or delete this one, or mend teacher.dimension.",
        )
    return teacher if config.dimension is None else reduce(teacher, config, texts, folder, progress)


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
