"""How well a ranking finds what is relevant. Gains are the grades of the hits, best hit first; 0 is not relevant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUT = 10  # hits that are looked at


def recall(gains: NDArray[np.float64], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Share of a query's relevant documents among its first `k` hits, float64 [q].

    Args:
        gains: float64 [q, hits], grades of the hits.
        relevant: int64 [q], how many relevant documents each query has, at least 1.
        k: hits that count.
    """
    share: NDArray[np.float64] = (gains[:, :k] > 0).sum(axis=1) / relevant
    return share


def reciprocal_rank(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """One over the rank of the first relevant hit, 0 where there is none, float64 [q]."""
    found = gains > 0
    return np.where(found.any(axis=1), 1 / (found.argmax(axis=1) + 1), 0.0)


def ndcg(gains: NDArray[np.float64], ideal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Discounted cumulative gain as a share of the best possible, float64 [q].

    Järvelin and Kekäläinen 2002 with linear gains and log2(rank + 1), as trec_eval and BEIR have it.

    Args:
        gains: float64 [q, hits], grades of the hits.
        ideal: float64 [q, hits], the highest grades of each query's relevant documents, descending, 0 where there are
            no more; the first is above 0.
    """
    discounts = 1 / np.log2(np.arange(gains.shape[1]) + 2)
    share: NDArray[np.float64] = (gains @ discounts) / (ideal @ discounts)
    return share
