"""Top-1 retrieval: does a sentence find its translation among many others?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1024


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit


def nearest(queries: NDArray[np.float32], documents: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Find the `k` documents of highest cosine for every query, best first, ties by lower document number.

    Args:
        queries: float [q, d].
        documents: float [n, d].
        k: at most n.

    Returns:
        int64 [q, k].
    """
    unit = normalised(documents)
    found = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), _BLOCK):
        scores = normalised(queries[start : start + _BLOCK]) @ unit.T
        found[start : start + _BLOCK] = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return found


def top1_accuracy(
    queries: NDArray[np.float32], documents: NDArray[np.float32], gold: NDArray[np.int64]
) -> float:
    """Share of queries whose nearest document by cosine is the right one, 0..1.

    Args:
        queries: float [q, d].
        documents: float [n, d], the pool.
        gold: int [q], the right document of each query.
    """
    return float((nearest(queries, documents, 1)[:, 0] == gold).mean())


def gold_ranks(
    queries: NDArray[np.float32], documents: NDArray[np.float32], gold: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rank of the right document for every query, 1 = first; int64 [q]."""
    scores = normalised(queries) @ normalised(documents).T
    own = scores[np.arange(len(gold)), gold]
    ranks: NDArray[np.int64] = (scores > own[:, None]).sum(axis=1) + 1
    return ranks
