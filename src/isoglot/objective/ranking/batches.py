"""Batches of ranking: pairs of similar length, of one task each; tasks take turns in a stated ratio."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.objective.batching import length_batches
from isoglot.objective.ranking.texts import RankingTexts, TextPairs
from isoglot.objective.ranking.turns import turns
from isoglot.objective.texts import drawn_translations

Task = Literal["translation", "nli", "responses"]
_NUMBER = {
    "nli": 3,
    "responses": 4,
}  # in the seeds of the other tasks' order, which differ from those of draws


@dataclass(frozen=True)
class Batch:
    """Some pairs of one task, of any of its languages.

    Attributes:
        task: what is learned from them.
        first: int64 [b], rows of sources, premises or questions.
        second: int64 [b], rows of translations, hypotheses or answers.
        negatives: int64 [h], rows of the pairs' hard negatives, each once.
        labels: int64 [b], of inferences.
        weights: float32 [b], of each pair in the loss.
    """

    task: Task
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    negatives: NDArray[np.int64]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Every text that the loss reads: int64 [2 b + h]."""
        return np.concatenate([self.first, self.second, self.negatives])


def epoch(
    texts: RankingTexts,
    config: TrainConfig,
    seed: tuple[int, ...],
    ratio: Mapping[Task, int],
    negatives: NDArray[np.int64] | None = None,
) -> Iterator[Batch]:
    """Yield the batches of one epoch, which ends with the translations; a pure function of its arguments.

    The other tasks begin anew in another order in every epoch, and as often as they are needed within one.

    Args:
        texts: of all tasks.
        config: budget, draws, temperature.
        seed: seed of the run and number of the epoch.
        ratio: batches of each task in a round; tasks without data have none, whatever it says.
        negatives: int64 [m, k], rows of each translation's hard negatives, -1 for none; None: there are none.
    """
    others: dict[Task, Iterator[Batch]] = {
        "nli": _endless("nli", texts, texts.nli, config.batch_tokens, seed),
        "responses": _endless("responses", texts, texts.responses, config.batch_tokens, seed),
    }
    translations = _translations(texts, config, seed, negatives)
    for task in turns(with_data(texts, ratio)):
        batch = next(translations if task == "translation" else others[task], None)
        if batch is None:
            return
        yield batch


def with_data(texts: RankingTexts, ratio: Mapping[Task, int]) -> dict[Task, int]:
    """Leave out tasks that have no pairs or no turn."""
    sizes: dict[Task, int] = {"nli": len(texts.nli), "responses": len(texts.responses)}
    others = {task: ratio.get(task, 1) for task, size in sizes.items() if size}
    chosen: dict[Task, int] = {"translation": ratio.get("translation", 1)}
    return chosen | {task: share for task, share in others.items() if share > 0}


def _translations(
    texts: RankingTexts, config: TrainConfig, seed: tuple[int, ...], negatives: NDArray[np.int64] | None
) -> Iterator[Batch]:
    """One pass over the sources, each with the translations that are drawn for this epoch."""
    targets = drawn_translations(texts, config, seed)
    targets = targets[np.random.default_rng((*seed, 2)).permutation(len(targets))]
    sources = texts.group[targets].astype(np.int64)
    own = np.zeros((len(targets), 0), np.int64) if negatives is None else negatives[targets - texts.sources]
    lengths = _together(texts, sources, targets, own)
    weight = np.ones(len(texts.group) - texts.sources, np.float32) if texts.weight is None else texts.weight
    for chosen in length_batches(lengths, config.batch_tokens, seed):
        hard = np.unique(own[chosen])
        weights = weight[targets[chosen] - texts.sources]
        labels = np.zeros(len(chosen), np.int64)
        yield Batch("translation", sources[chosen], targets[chosen], hard[hard >= 0], labels, weights)


def _endless(
    task: Task, texts: RankingTexts, pairs: TextPairs, budget: int, seed: tuple[int, ...]
) -> Iterator[Batch]:
    """Pass over the pairs of a task again and again, each time in another order."""
    none = np.zeros((len(pairs), 0), np.int64)
    lengths = _together(texts, pairs.first, pairs.second, none)
    for number in itertools.count():
        own = (*seed, _NUMBER[task], number)
        order = np.random.default_rng(own).permutation(len(pairs))
        for chosen in length_batches(lengths[order], budget, own):
            rows = order[chosen]
            weights = np.ones(len(rows), np.float32)
            yield Batch(task, pairs.first[rows], pairs.second[rows], none[0], pairs.labels[rows], weights)


def _together(
    texts: RankingTexts, first: NDArray[np.int64], second: NDArray[np.int64], negatives: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tokens of each pair and its hard negatives: what a batch is measured by, int64 [p]."""
    lengths = texts.tokens.lengths
    beside = np.where(negatives >= 0, lengths[negatives], 0).sum(axis=1)
    total: NDArray[np.int64] = lengths[first] + lengths[second] + beside
    return total
