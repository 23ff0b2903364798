"""Approximate neighbours with FAISS, for what exact search would take too long; their recall is measured, not hoped.

An inverted file of fp16 vectors: documents in cells around means, of which a query looks into the nearest few. How
many cells is the most that the time allows. The scores of what is found are exact.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes, read_json, write_json
from isoglot.disk import written_whole
from isoglot.errors import RequestError
from isoglot.mine.best import k_best
from isoglot.mine.blocks import Job, search
from isoglot.mine.finished import SUFFIX, read_finished, write_finished
from isoglot.mine.knn import BothWays, Neighbours, nearest, nearest_both_ways
from isoglot.mine.metric import Prepared, Vectors, exact_scores, prepare
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    import faiss

    _Index: TypeAlias = faiss.IndexIVFScalarQuantizer

_DECIDED = "decided.json"
_TRIAL = 8192, 16_384  # queries and documents of the product whose time is measured
_CELLS_PER_ROOT = 4  # cells for each unit of the root of the documents, as FAISS' guidelines have it
_LEAST_PER_CELL = 39  # documents; with fewer to learn from, FAISS warns
_MOST_PER_CELL = 64  # documents that the means are learnt from
_SAMPLE = 500  # queries that recall is measured on
_ENOUGH = 0.99  # recall at which more cells are not tried
_QUERIES = 8192  # searched and kept at a time
_ADDED = 65_536  # documents added at a time


@dataclass(frozen=True)
class How:
    """How neighbours were searched.

    Attributes:
        kind: "exact" or "approximate".
        exact_minutes: what exact search takes by the trial; 0 when nobody asked.
        recall: share of the exact neighbours that approximate search found, measured on a sample of the sources
            (forward) and of the targets (backward); 1 for exact search.
        cells: looked into for each query, of all; for both directions.
    """

    kind: str
    exact_minutes: float = 0.0
    recall: tuple[float, float] = (1.0, 1.0)
    cells: tuple[str, str] = ("", "")


def search_within(job: Job, minutes: float | None, progress: Progress = SILENT) -> tuple[BothWays, How]:
    """Search exactly when that takes no more than so many minutes, else approximately in as many.

    What was decided is kept beside the blocks, so that a resumed pass goes on with it.

    Args:
        job: what to search.
        minutes: the limit; None: exact whatever it takes.
        progress: where to report; a stage says the recall.

    Raises:
        RequestError: FAISS is needed and not installed.
        IsoglotError: the disk is full.
    """
    if minutes is None:
        return search(job, progress), How("exact")
    folder = job.folder / f"within-{minutes:g}-{digest_bytes(b''.join(job.keys))[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / _DECIDED).exists():
        write_json(folder / _DECIDED, {"exact_minutes": exact_minutes(job.sources, job.targets)})
    exact = float(read_json(folder / _DECIDED)["exact_minutes"])
    if exact <= minutes:
        return search(job, progress), How("exact", exact)
    _require_faiss(minutes, exact)
    return _approximate(job, folder, minutes, exact, progress)


def exact_minutes(sources: Vectors, targets: Vectors) -> float:
    """Estimate how long exact search in both directions takes here, from a trial of random vectors."""
    random = np.random.default_rng(0)
    width = sources.shape[1]
    one, other = (random.standard_normal((min(rows, len(side)), width), np.float32)
                  for rows, side in zip(_TRIAL, (sources, targets), strict=True))  # fmt: skip
    began = time.perf_counter()
    nearest_both_ways(one, other, 1)
    taken = time.perf_counter() - began
    return taken * (len(sources) / len(one)) * (len(targets) / len(other)) / 60


def _require_faiss(minutes: float, exact: float) -> None:
    from importlib.util import find_spec

    if find_spec("faiss") is None:
        raise RequestError(
            f"Exact search takes about {exact:.0f} minutes here, more than {minutes:g}.",
            "Give more --max-minutes, or search approximately: pip install 'isoglot[faiss]'.",
        )


def _approximate(
    job: Job, folder: Path, minutes: float, exact: float, progress: Progress
) -> tuple[BothWays, How]:
    asked, found = prepare(job.sources, job.targets, "cosine")
    results, recalls, cells = [], [], []
    for way, (one, other) in (("forward", (asked, found)), ("backward", (found, asked))):
        (folder / way).mkdir(exist_ok=True)
        direction = _Direction(one, other, min(job.k, len(other.vectors)), folder / way)
        settings = direction.prepare(30 * minutes, progress)
        progress.stage(
            "search",
            f"approximate, {way}: recall {settings.recall:.3f} of the exact neighbours of {settings.sample} sentences,"
            f" {settings.probes} of {settings.cells} cells",
        )
        results.append(direction.neighbours(settings, progress))
        recalls.append(settings.recall)
        cells.append(f"{settings.probes} of {settings.cells}")
    how = How("approximate", exact, (recalls[0], recalls[1]), (cells[0], cells[1]))
    return BothWays(results[0], results[1]), how


@dataclass(frozen=True)
class _Settings:
    """What the trial searches settled."""

    probes: int
    cells: int
    recall: float
    sample: int


@dataclass(frozen=True)
class _Direction:
    """Queries in an index of documents, and the folder for the index and for finished blocks."""

    queries: Prepared
    documents: Prepared
    k: int
    folder: Path

    def prepare(self, seconds: float, progress: Progress) -> _Settings:
        """Build the index and settle how many cells a search looks into, unless that was done before."""
        index_path, path = self.folder / "documents.faiss", self.folder / "settings.json"
        if not path.exists():
            index = self._build(progress)
            import faiss

            with written_whole(index_path) as temporary:
                faiss.write_index(index, str(temporary))
            write_json(path, asdict(self._settle(index, seconds)))
        return _Settings(**read_json(path))

    def neighbours(self, settings: _Settings, progress: Progress) -> Neighbours:
        """Search all queries, keeping every block that is finished."""
        import faiss

        index = cast("_Index", faiss.read_index(str(self.folder / "documents.faiss")))
        index.nprobe = settings.probes
        total, parts = len(self.queries.vectors), []
        with progress.task("approximate neighbours", total, "sentences") as task:
            for start in range(0, total, _QUERIES):
                path = self.folder / f"{start}{SUFFIX}"
                arrays = read_finished(path)
                if arrays is None:
                    scores, ids = self._search(index, np.arange(start, min(start + _QUERIES, total)))
                    arrays = {"scores": scores, "ids": ids}
                    write_finished(path, arrays)
                parts.append((arrays["scores"], arrays["ids"]))
                task.advance(len(parts[-1][0]))
        return np.concatenate([scores for scores, _ in parts]), np.concatenate([ids for _, ids in parts])

    def _build(self, progress: Progress) -> _Index:
        import faiss

        documents, width = len(self.documents.vectors), self.documents.vectors.shape[1]
        cells = max(1, min(int(_CELLS_PER_ROOT * documents**0.5), documents // _LEAST_PER_CELL))
        quantizer = faiss.IndexFlatIP(width)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer, width, cells, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index.quantizer = quantizer
        learnt = np.random.default_rng(0).permutation(documents)[: cells * _MOST_PER_CELL]
        index.train(self._unit(self.documents, np.sort(learnt)))
        with progress.task("indexing", documents, "sentences") as task:
            for start in range(0, documents, _ADDED):
                block = self.documents.block(start, min(start + _ADDED, documents))
                index.add(block)
                task.advance(len(block))
        return index

    def _settle(self, index: _Index, seconds: float) -> _Settings:
        """Look into twice as many cells as long as there is time and recall to gain."""
        total = len(self.queries.vectors)
        sample = np.sort(np.random.default_rng(1).permutation(total)[:_SAMPLE])
        exact = nearest(self.queries.vectors[sample], self.documents.vectors, self.k)[1]
        best = None
        for probes in _doubling(index.nlist):
            index.nprobe = probes
            began = time.perf_counter()
            ids = self._search(index, sample)[1]
            needed = (time.perf_counter() - began) * total / len(sample)
            if best is not None and needed > seconds:
                break
            hits = [
                len(set(one) & set(other)) for one, other in zip(exact.tolist(), ids.tolist(), strict=True)
            ]
            best = _Settings(probes, index.nlist, sum(hits) / exact.size, len(sample))
            if best.recall >= _ENOUGH or needed > seconds:
                break
        assert best is not None  # noqa: S101  there is one cell at least
        return best

    def _search(self, index: _Index, rows: NDArray[np.int64]) -> Neighbours:
        """Neighbours of some queries, with exact scores; where cells hold too few, by exact search."""
        ids = index.search(self._unit(self.queries, rows), self.k)[1]
        short = np.flatnonzero((ids < 0).any(axis=1))
        if len(short):
            ids[short] = nearest(self.queries.vectors[rows[short]], self.documents.vectors, self.k)[1]
        places, found = np.repeat(np.arange(len(rows)), self.k), ids.reshape(-1)
        scores = exact_scores(self.queries, self.documents, rows[places], found)
        return k_best(places, found, scores, self.k)

    @staticmethod
    def _unit(side: Prepared, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return Prepared(side.vectors[rows], side.lengths[rows], side.metric).block(0, len(rows))


def _doubling(last: int) -> Iterator[int]:
    """1, 2, 4 and so on, and `last`."""
    number = 1
    while number < last:
        yield number
        number *= 2
    yield last
