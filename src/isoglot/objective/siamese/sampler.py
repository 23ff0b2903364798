"""Pairs of similar length in a batch, for sentence-transformers' trainer: there is little padding to compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.objective.batching import sized_batches
from isoglot.objective.siamese.columns import Columns


def row_lengths(columns: Columns) -> NDArray[np.int64]:
    """Count the characters of each row's first sentence, int64 [rows]; tokens would sort them hardly otherwise.

    The second sentence does not count: a hypothesis is short where it is entailed, and long where it is neutral, so a
    batch of hypotheses of one length would be one of few labels.
    """
    return np.array([len(str(sentence)) for sentence in next(iter(columns.values()))], np.int64)


def similar_lengths(lengths: NDArray[np.int64]) -> Callable[..., Any]:
    """Give the batch sampler of a table, as the trainer takes it: a class whose batches depend on seed and epoch alone.

    Args:
        lengths: int64 [rows], of the table's rows.
    """
    from sentence_transformers.base.sampler import DefaultBatchSampler

    class SimilarLengths(DefaultBatchSampler):  # type: ignore[misc, unused-ignore]
        def __iter__(self) -> Iterator[list[int]]:
            seed = (self.seed, self.epoch)
            order = np.random.default_rng(seed).permutation(len(lengths))
            for chosen in sized_batches(lengths[order], self.batch_size, seed):
                yield order[chosen].tolist()

        def __len__(self) -> int:
            return -(-len(lengths) // int(self.batch_size))

    return SimilarLengths
