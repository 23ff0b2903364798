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


def least_padding(lengths: NDArray[np.int64], budget: int, batch_cost: int) -> list[NDArray[np.int64]]:
    """Cut all rows into batches as `by_length` does, but where the least work comes of it.

    Of all cuts of the sorted rows, dynamic programming finds one with the least sum of rectangles, where each batch
    costs `batch_cost` more. The result depends on the arguments alone.

    Args:
        lengths: int [n], tokens per row.
        budget: largest rows x longest row of a batch.
        batch_cost: what it costs to start one more batch, in tokens.

    Returns:
        Row numbers, int64, per batch; together a permutation of 0..n-1.
    """
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    longest = np.maximum(lengths[order], 1)
    least = np.zeros(len(order) + 1, np.int64)  # of the rows from here to the end
    stop = np.zeros(len(order), np.int64)
    for start in range(len(order) - 1, -1, -1):
        most = max(1, budget // int(longest[start]))
        rest = least[start + 1 : start + 1 + most]
        costs = longest[start] * np.arange(1, len(rest) + 1) + rest
        best = int(costs.argmin())
        least[start] = costs[best] + batch_cost
        stop[start] = start + 1 + best
    batches = []
    start = 0
    while start < len(order):
        batches.append(order[start : stop[start]])
        start = int(stop[start])
    return batches


def by_tokens(lengths: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Cut all rows into batches, longest first, each of at most `budget` tokens where nothing is padded.

    The result depends on the arguments alone. A row longer than the budget is a batch of its own.

    Args:
        lengths: int [n], tokens per row.
        budget: most tokens of a batch.

    Returns:
        Row numbers, int64, per batch; together a permutation of 0..n-1.
    """
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    ends = np.cumsum(lengths[order])
    batches = []
    start = before = 0
    while start < len(order):
        stop = max(start + 1, int(np.searchsorted(ends, before + budget, side="right")))
        batches.append(order[start:stop])
        start, before = stop, int(ends[stop - 1])
    return batches


def padding_share(lengths: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """Share of the padded rectangles that holds no token, 0..1."""
    area = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1.0 - float(sum(int(lengths[batch].sum()) for batch in batches)) / max(1, area)
