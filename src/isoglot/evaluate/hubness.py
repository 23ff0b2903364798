"""Hubs: vectors that are among the nearest neighbours of far too many others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.retrieval import normalised

NEIGHBOURS = 10
_BLOCK = 512


def skewness(counts: NDArray[np.int64]) -> float:
    """Third standardised moment, E(N - mean)^3 / deviation^3; 0 when all counts are equal."""
    centred = counts - counts.mean()
    deviation = float(np.sqrt(np.square(centred).mean()))
    return float((centred**3).mean()) / deviation**3 if deviation else 0.0


def hubness(vectors: NDArray[np.float32], k: int = NEIGHBOURS) -> float | None:
    """Skewness of N_k, how often each row is among the k nearest of the others; 0 is even, above 1 has hubs.

    Radovanovic, Nanopoulos & Ivanovic 2010, "Hubs in space", equation 1.

    Args:
        vectors: float [n, d].
        k: neighbours by cosine; ties by lower number.

    Returns:
        None when there are no more than k rows.
    """
    if len(vectors) <= k:
        return None
    return skewness(_occurrences(vectors, vectors, k, among_itself=True))


def index_hubness(
    queries: NDArray[np.float32], documents: NDArray[np.float32], k: int = NEIGHBOURS
) -> float | None:
    """Skewness of N_k of the documents of an index: above 1, some documents turn up for every query.

    Args:
        queries: float [q, d].
        documents: float [n, d], of different texts.
        k: hits looked at per query, by cosine; ties by lower number.

    Returns:
        None when there are no more than k documents.
    """
    if len(documents) <= k:
        return None
    return skewness(_occurrences(queries, documents, k, among_itself=False))


def _occurrences(
    queries: NDArray[np.float32], documents: NDArray[np.float32], k: int, *, among_itself: bool
) -> NDArray[np.int64]:
    """How many queries have each document among their k nearest, int64 [n].

    Which neighbours, not in which order: a third of the time of the ordered search in `mine.knn`.
    """
    unit = normalised(documents)
    counts = np.zeros(len(documents), np.int64)
    for start in range(0, len(queries), _BLOCK):
        cosines = normalised(queries[start : start + _BLOCK]) @ unit.T
        if among_itself:
            rows = np.arange(len(cosines))
            cosines[rows, start + rows] = -np.inf
        counts += _among_largest(cosines, k).sum(axis=0)
    return counts


def _among_largest(scores: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """Mark the k largest of each row, bool like `scores` [q, n]; of equal ones those of lower number."""
    last = scores.shape[1] - k
    marked: NDArray[np.bool_] = scores >= np.partition(scores, last, axis=1)[:, last, None]
    for row in np.flatnonzero(marked.sum(axis=1) > k):
        marked[row] = False
        marked[row, np.argsort(-scores[row], kind="stable")[:k]] = True
    return marked
