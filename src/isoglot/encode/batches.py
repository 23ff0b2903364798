"""Batches of similar length under a token budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def by_length(lengths: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Cut all rows into batches, longest first, each of at most `budget` tokens with its padding.

    The result depends on `lengths` and `budget` alone (ties keep their order), so encoding a fixed chunk always
    gives the same bytes. A row longer than the budget is a batch of its own.

    Args:
        lengths: int [n], tokens per row.
        budget: largest rows x longest row of a batch.

    Returns:
        Row numbers, int64, per batch; together a permutation of 0..n-1.
    """
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    batches = []
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + size])
        start += size
    return batches


def padding_share(lengths: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """Share of the padded rectangles that holds no token, 0..1."""
    area = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1.0 - float(sum(int(lengths[batch].sum()) for batch in batches)) / max(1, area)
