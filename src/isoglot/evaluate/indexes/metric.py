"""The three measures that indexes rank by, as scores of which more is nearer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Metric = Literal["cosine", "dot", "l2"]


def scores(query: NDArray[np.float32], documents: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Score documents for one query: the cosine, the dot product, or the negated Euclidean distance.

    Args:
        query: float32 [d].
        documents: float32 [n, d].
        metric: the index's own.

    Returns:
        float32 [n], more is nearer; the cosine of a zero vector is 0.
    """
    if metric == "l2":
        apart = documents - query
        distances: NDArray[np.float32] = np.sqrt(np.einsum("nd,nd->n", apart, apart))
        return -distances
    products: NDArray[np.float32] = documents @ query
    if metric == "dot":
        return products
    lengths = np.sqrt(np.einsum("nd,nd->n", documents, documents) * (query @ query))
    return (products / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def shown(score: float, metric: Metric) -> float:
    """Turn a score into what users of the metric know: a distance is positive. Its own inverse."""
    return -score if metric == "l2" else score
