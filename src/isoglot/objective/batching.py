"""Batches of similar length in random order: what every objective's batches have in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.batches import by_length

WINDOW_BATCHES = 32  # batches sorted together: long enough for little padding, short enough to stay shuffled


def length_batches(
    lengths: NDArray[np.int64], budget: int, seed: tuple[int, ...]
) -> Iterator[NDArray[np.int64]]:
    """Cut shuffled rows into batches: sorted by length within a window, the batches of a window in random order.

    Rows that lie near each other stay near each other; whoever wants them far apart shuffles them before.

    Args:
        lengths: int [n], tokens per row, the rows in random order.
        budget: largest rows x longest row of a batch.
        seed: what the order depends on beside the lengths, such as (seed of the run, epoch).

    Yields:
        int64 positions in `lengths`; together a permutation of 0..n-1.
    """
    window = _window_rows(lengths, budget)
    shuffle = np.random.default_rng((*seed, 1))
    for start in range(0, len(lengths), window):
        batches = by_length(lengths[start : start + window], budget)
        for index in shuffle.permutation(len(batches)):
            yield batches[index] + start


def sized_batches(
    lengths: NDArray[np.int64], size: int, seed: tuple[int, ...]
) -> Iterator[NDArray[np.int64]]:
    """Cut shuffled rows into batches as `length_batches` does, but of so many rows each, as publications count them.

    Args:
        lengths: int [n], of each row, in whatever unit; the rows in random order.
        size: rows of a batch; the last one of a window may have fewer.
        seed: as in `length_batches`.

    Yields:
        int64 positions in `lengths`; together a permutation of 0..n-1.
    """
    window = WINDOW_BATCHES * size
    shuffle = np.random.default_rng((*seed, 1))
    for start in range(0, len(lengths), window):
        order = start + np.argsort(lengths[start : start + window], kind="stable")
        for index in shuffle.permutation(-(-len(order) // size)):
            yield order[index * size : (index + 1) * size]


def _window_rows(lengths: NDArray[np.int64], budget: int) -> int:
    mean = float(lengths.mean()) if len(lengths) else 1.0
    return max(1, int(WINDOW_BATCHES * budget / max(1.0, mean)))
