"""Top-1 retrieval: does a sentence find its translation among many others?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isoglot.mine.knn import nearest


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit


def pair_cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of row i of one float [n, d] with row i of another: float64 [n].

    Worked out in float64 and rounded to 12 places: cosines that are equal are ties, whatever the order of summation.
    """
    one, other = left.astype(np.float64), right.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines: NDArray[np.float64] = ((one * other).sum(axis=1) / np.maximum(lengths, 1e-12)).round(12)
    return cosines


def top1_accuracy(
    queries: NDArray[np.float32], documents: NDArray[np.float32], gold: NDArray[np.int64]
) -> float:
    """Share of queries whose nearest document by cosine is the right one, 0..1.

    Args:
        queries: float [q, d].
        documents: float [n, d], the pool.
        gold: int [q], the right document of each query.
    """
    _, found = nearest(queries, documents, 1)
    return float((found[:, 0] == gold).mean())


def gold_ranks(
    queries: NDArray[np.float32], documents: NDArray[np.float32], gold: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rank of the right document for every query, 1 = first; int64 [q]."""
    scores = normalised(queries) @ normalised(documents).T
    own = scores[np.arange(len(gold)), gold]
    ranks: NDArray[np.int64] = (scores > own[:, None]).sum(axis=1) + 1
    return ranks
