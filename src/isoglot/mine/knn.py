"""Exact nearest neighbours in blocks: matrix products find candidates, float64 scores of those decide.

The neighbours are those of the float64 scores rounded to float32, ties by lower id, so they depend neither on the
blocks nor on threads: whatever a float32 product may have misjudged by rounding stays a candidate until then. (Where
more than 64 documents lie within that rounding, 5e-5 for 384 dimensions and cosine, of a query's k-th score, the 64
with the highest products stay, those of lower id first.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import RequestError
from isoglot.mine.best import Best, k_best
from isoglot.mine.metric import Metric, Prepared, Vectors, exact_scores, prepare, rounding
from isoglot.mine.threads import multiplying_alone
from isoglot.progress import SILENT, Progress

_STRIP = 16_384  # queries that are prepared once for all documents
_QUERIES = 1024  # one product has 1024 x 4096 scores: 16 MB, which stay near the processor
_DOCUMENTS = 4096

Neighbours = tuple[NDArray[np.float32], NDArray[np.int64]]
Range = tuple[int, int]


@dataclass(frozen=True)
class BothWays:
    """Neighbours of two sides in each other.

    Attributes:
        forward: of each query among the documents: scores float32 [q, k], ids int64 [q, k]; all of them where there
            are fewer than k.
        backward: of each document among the queries: scores float32 [n, k], ids int64 [n, k]; the same.
    """

    forward: Neighbours
    backward: Neighbours


def nearest(
    queries: Vectors, documents: Vectors, k: int, *, metric: Metric = "cosine", progress: Progress = SILENT
) -> Neighbours:
    """Find the `k` nearest documents of every query, best first, ties by lower document number.

    Args:
        queries: float [q, d]; float16 to float64, in memory or mapped from a file.
        documents: float [n, d].
        k: 1 to n.
        metric: "cosine" (0 beside a zero vector), "dot", or "l2", whose score is the negative squared distance: a
            higher score is always nearer.
        progress: where the queries are counted.

    Returns:
        Scores float32 [q, k] and document numbers int64 [q, k].

    Raises:
        RequestError: the sides do not fit each other, hold NaN, or there are fewer than `k` documents.
    """
    _check(k, len(documents), "documents")
    asked, found = prepare(queries, documents, metric)
    forward = _running(k, rounding(asked, found), _QUERIES)
    _offer_all(asked, found, forward, [], progress)
    return _decided(forward, asked, found, k)


def nearest_both_ways(
    queries: Vectors, documents: Vectors, k: int, *, progress: Progress = SILENT
) -> BothWays:
    """Find the `k` nearest by cosine in both directions, from one pass over the products.

    Args:
        queries: float [q, d]; float16 to float64, in memory or mapped from a file.
        documents: float [n, d].
        k: how many; of a smaller side all.
        progress: where the queries are counted.

    Raises:
        RequestError: the sides do not fit each other, hold NaN, or one is empty.
    """
    return prepared_both_ways(*prepare(queries, documents, "cosine"), k, progress)


def prepared_both_ways(asked: Prepared, found: Prepared, k: int, progress: Progress = SILENT) -> BothWays:
    """Do what `nearest_both_ways` does with sides that were measured before."""
    queries, documents = asked.vectors, found.vectors
    near, back = min(k, len(documents)), min(k, len(queries))
    _check(near, len(documents), "documents")
    _check(back, len(queries), "queries")
    forward = _running(near, rounding(asked, found), _QUERIES)
    backward = _running(back, rounding(found, asked), _DOCUMENTS)
    _offer_all(asked, found, forward, backward, progress)
    return BothWays(_decided(forward, asked, found, near), _decided(backward, found, asked, back))


def _offer_all(
    asked: Prepared, found: Prepared, forward: Sequence[Best], backward: Sequence[Best], progress: Progress
) -> None:
    """Show every block of products to those who want the best of its rows, and of its columns."""
    queries, documents = len(asked.vectors), len(found.vectors)
    with progress.task("nearest neighbours", queries, "queries") as task, multiplying_alone() as threads:
        for strip in _ranges(0, queries, _STRIP):
            blocks = [
                _Block(forward[low // _QUERIES], low, asked.block(low, high))
                for low, high in _ranges(*strip, _QUERIES)
            ]

            def work(span: Range, blocks: Sequence[_Block] = blocks) -> int:
                best = backward[span[0] // _DOCUMENTS] if backward else None
                _offer(blocks, found.block(*span), span[0], best)
                return span[1] - span[0]

            for done in threads.map(work, _ranges(0, documents, _DOCUMENTS)):
                task.advance((strip[1] - strip[0]) * done / documents)


@dataclass(frozen=True)
class _Block:
    """Some queries: who wants their best, the first one's number, and their vectors ready for a product."""

    best: Best
    first: int
    rows: NDArray[np.float32]


def _offer(
    blocks: Sequence[_Block], documents: NDArray[np.float32], first: int, backward: Best | None
) -> None:
    """Multiply some documents, numbered from `first`, with blocks of queries."""
    space = np.empty(
        (_QUERIES, len(documents)), np.float32
    )  # a new one for each product would be paged in each time
    for block in blocks:
        products = np.matmul(block.rows, documents.T, out=space[: len(block.rows)])
        block.best.offer(products, first, 0)
        if backward is not None:
            backward.offer(products, block.first, 1)
    if backward is not None:
        backward.sort()


def _check(k: int, known: int, name: str) -> None:
    if not 1 <= k <= known:
        raise RequestError(f"{k} neighbours among {known} {name} cannot be found.", f"Ask for 1 to {known}.")


def _ranges(start: int, stop: int, size: int) -> Iterator[Range]:
    return ((low, min(low + size, stop)) for low in range(start, stop, size))


def _running(k: int, error: NDArray[np.float64], rows: int) -> list[Best]:
    """One record of the best for each block of `rows`; twice the error, as both scores compared have it."""
    return [Best(k, 2 * error[low:high]) for low, high in _ranges(0, len(error), rows)]


def _decided(bests: Sequence[Best], asked: Prepared, found: Prepared, k: int) -> Neighbours:
    """Let exact scores decide between the candidates."""
    scores, ids = np.empty((len(asked.vectors), k), np.float32), np.empty((len(asked.vectors), k), np.int64)
    starts = np.cumsum([0, *(best.rows for best in bests)]).tolist()

    def work(best: Best, start: int) -> None:
        rows, candidates = best.candidates()
        exact = exact_scores(asked, found, rows + start, candidates)
        part = slice(start, start + best.rows)
        scores[part], ids[part] = k_best(rows, candidates, exact, k)

    with multiplying_alone() as threads:
        for _ in threads.map(work, bests, starts[:-1]):
            pass
    return scores, ids
