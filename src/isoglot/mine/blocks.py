"""Neighbours of two large sides, block by block: finished blocks stay on disk, so that a killed pass goes on.

A block is a chunk of sources against all targets: the neighbours of these sources, and of every target the nearest
among them. What it holds depends on that chunk alone; the backward neighbours of all blocks are merged at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isoglot.artefact import digest_bytes, digest_json
from isoglot.errors import IsoglotError
from isoglot.mine.best import best_of
from isoglot.mine.finished import SUFFIX, read_finished, write_finished
from isoglot.mine.knn import BothWays, Neighbours, prepared_both_ways
from isoglot.mine.metric import prepare_side
from isoglot.progress import SILENT, Progress, Task
from isoglot.scale.plan import Chunk, cut, run_in_process
from isoglot.teacher.store import Store, StoredVectors, key_of

_ROWS = 16_384  # of a block, at least
_MOST_BLOCKS = 64  # each holds k neighbours of every target
_FOLDER = "blocks-"


@dataclass(frozen=True)
class Job:
    """What is searched and where finished blocks are kept.

    Attributes:
        sources: vectors of one side.
        targets: of the other side.
        keys: key of every source, which name the blocks.
        k: neighbours of each sentence.
        folder: for finished blocks; of this request alone.
        rows: sources per block; 0: chosen by their number.
    """

    sources: StoredVectors
    targets: StoredVectors
    keys: Sequence[bytes]
    k: int
    folder: Path
    rows: int = 0

    @classmethod
    def of(
        cls, store: Store, sources: Sequence[str], targets: Sequence[str], k: int, work: Path, rows: int = 0
    ) -> Job:
        """Search distinct sentences whose vectors are in a store; its folder under `work` says what was asked for."""
        keys = [[key_of(text) for text in side] for side in (sources, targets)]
        space = digest_json([store.header.space, store.header.store_precision, k])
        name = digest_bytes(space.encode() + b"".join(keys[1]))
        folder = work / f"{_FOLDER}{name[:16]}"
        return cls(store.table(sources), store.table(targets), keys[0], k, folder, rows)

    def plan(self) -> list[Chunk]:
        """The blocks, the same whenever the same is asked for."""
        return cut(self.keys, self.rows or max(_ROWS, -(-len(self.keys) // _MOST_BLOCKS)))


def search(job: Job, progress: Progress = SILENT) -> BothWays:
    """Find the `k` nearest by cosine of every source and of every target, as `nearest_both_ways` does at once.

    Raises:
        IsoglotError: the disk is full.
    """
    plan = job.plan()
    job.folder.mkdir(parents=True, exist_ok=True)
    left = [chunk for chunk in plan if _read(job.folder, chunk) is None]
    if not left:
        progress.stage("blocks", f"all {len(plan)} were finished before")
        return _merged(job, plan)
    if len(left) < len(plan):
        progress.stage("blocks", f"{len(plan) - len(left)} of {len(plan)} were finished before")
    with progress.task("nearest neighbours", sum(chunk.rows for chunk in left), "sentences") as task:
        targets = prepare_side(job.targets, "target")

        def work(chunk: Chunk) -> BothWays:
            some = prepare_side(job.sources[chunk.start : chunk.stop], "source")
            return prepared_both_ways(some, targets, job.k, _Inside(task))

        for chunk, found in run_in_process(left, work):
            _write(_path(job.folder, chunk), found)
    return _merged(job, plan)


def forget(work: Path, keep: Path | None = None) -> None:
    """Remove finished blocks, but those in the folder `keep`."""
    for folder in work.glob(f"{_FOLDER}*"):
        if folder != keep:
            shutil.rmtree(folder)


def _path(folder: Path, chunk: Chunk) -> Path:
    return folder / f"{chunk.id}{SUFFIX}"


def _write(path: Path, found: BothWays) -> None:
    (near, ids), (back, back_ids) = found.forward, found.backward
    narrow = {"ids": ids.astype(np.int32), "back_ids": back_ids.astype(np.int32)}
    write_finished(path, {"near": near, "back": back, **narrow})


def _read(folder: Path, chunk: Chunk) -> BothWays | None:
    """A finished block; None when there is none, or a damaged one, which is then done again."""
    arrays = read_finished(_path(folder, chunk))
    if arrays is None:
        return None
    return BothWays(
        (arrays["near"], arrays["ids"].astype(np.int64)),
        (arrays["back"], arrays["back_ids"].astype(np.int64)),
    )


def _merged(job: Job, plan: Sequence[Chunk]) -> BothWays:
    """Put the blocks together: forward neighbours behind each other, of backward ones the best."""
    forward: list[Neighbours] = []
    backward: Neighbours | None = None
    for chunk in plan:
        found = _read(job.folder, chunk)
        if found is None:
            raise IsoglotError(
                f"{_path(job.folder, chunk)} vanished or was damaged.", "Run the command again."
            )
        forward.append(found.forward)
        own = found.backward[0], found.backward[1] + chunk.start
        backward = own if backward is None else best_of(backward, own, job.k)
    assert backward is not None  # noqa: S101  a plan has chunks
    return BothWays(
        (np.concatenate([s for s, _ in forward]), np.concatenate([i for _, i in forward])), backward
    )


class _Inside:
    """Progress of a part, counted in the task of the whole."""

    def __init__(self, whole: Task) -> None:
        self._whole = whole

    def task(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        return nullcontext(self._whole)

    def stage(self, name: str, summary: str) -> None:
        """A part has no stages of its own."""
