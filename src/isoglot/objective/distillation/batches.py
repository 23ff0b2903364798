"""Batches: one epoch visits every group once, as source and drawn translations, in batches of similar length.

Given the teacher vector, the terms of a group's loss do not depend on one another. A group may therefore be spread
over batches, which lets every batch hold texts of one length: padding stays under five percent while each
source still passes through the student once per visit, with the weight of all its drawn translations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.corpus.mixing import shares
from isoglot.objective.batching import length_batches
from isoglot.objective.texts import ParallelTexts, drawn_translations


@dataclass(frozen=True)
class Batch:
    """Rows of the examples and the weight of each row's squared distance.

    Attributes:
        rows: int64 [b].
        weights: float32 [b]; a translation's own, the sum over the drawn translations for a source.
    """

    rows: NDArray[np.int64]
    weights: NDArray[np.float32]


def epoch(examples: ParallelTexts, config: TrainConfig, seed: int, number: int) -> Iterator[Batch]:
    """Yield the batches of one epoch; a pure function of its arguments, so a resumed run sees the same ones."""
    rows, weights = visits(examples, config, (seed, number))
    for chosen in _cut(examples.tokens.lengths[rows], config, (seed, number)):
        yield Batch(rows[chosen], weights[chosen])


def visits(
    examples: ParallelTexts, config: TrainConfig, seed: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Draw the translations of an epoch and put all groups in random order, each group's texts side by side.

    Returns:
        int64 rows into `examples` and their float32 weights.
    """
    first = examples.sources
    drawn = drawn_translations(examples, config, seed)
    own = np.zeros(len(examples.group), np.float32)
    own[first:] = 1.0 if examples.weight is None else examples.weight
    counts = np.bincount(examples.group[drawn], weights=own[drawn], minlength=first).astype(np.float32)
    sources = np.flatnonzero(counts > 0) if config.source_term else np.zeros(0, np.int64)
    rows = np.concatenate([sources, drawn])
    place = np.random.default_rng((*seed, 2)).permutation(first)
    order = np.argsort(place[examples.group[rows]], kind="stable")
    rows = rows[order]
    return rows, np.where(rows < first, counts[examples.group[rows]], own[rows]).astype(np.float32)


def language_shares(examples: ParallelTexts, config: TrainConfig, seed: int) -> dict[str, float]:
    """Share of each language among the translations that the first epoch draws; they sum to 1."""
    drawn = drawn_translations(examples, config, (seed, 0))
    found = shares(examples.language, drawn, len(examples.languages))
    return dict(zip(examples.languages, found.tolist(), strict=True))


def _cut(
    lengths: NDArray[np.int64], config: TrainConfig, seed: tuple[int, ...]
) -> Iterator[NDArray[np.int64]]:
    """Batches of similar length under the token budget, or of so many rows in their order."""
    if config.batch_sentences is None:
        return length_batches(lengths, config.batch_tokens, seed)
    places, size = np.arange(len(lengths)), config.batch_sentences
    return (places[start : start + size] for start in range(0, len(lengths), size))
