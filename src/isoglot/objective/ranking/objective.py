"""Translation ranking as the training loop sees it, with the other tasks of mUSE where there is data for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.encode.batches import least_padding
from isoglot.objective.forward import sentence_vectors
from isoglot.objective.ranking.batches import Batch, epoch, with_data
from isoglot.objective.ranking.known import KnownPairs
from isoglot.objective.ranking.loss import ranking_loss, translation_loss
from isoglot.objective.ranking.texts import RankingTexts
from isoglot.objective_config import RankingConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from isoglot.encode.encoder import Encoder

_BATCH_COST = 64  # tokens that starting one more rectangle costs about as much as


@dataclass(frozen=True)
class TranslationRanking:
    """A source finds its translation among those of its batch and hard negatives, and the other way round.

    A batch has pairs of any target languages, mixed as `train.temperature` draws them. The papers before mUSE trained
    one model for two languages; English sources do not tell in which language their translation is, so a mixed batch
    gives nothing away, and a batch of one language has only a few pairs where the language has few.

    Attributes:
        pairs: texts of all tasks; ids as the student counts them while it trains.
        config: margin, scale, ratio of the tasks.
        train: budget, draws, dropout.
        seed: of order and draws.
        known: translation pairs of the corpus by `texts.keys`; none of them is ranked below another.
        answered: questions and their answers, the same.
        beside: heads of the other tasks, under their names.
        negatives: int64 [m, k], rows of the hard negatives of each translation, -1 for none; None: there are none.
    """

    pairs: RankingTexts
    config: RankingConfig
    train: TrainConfig
    seed: int
    known: KnownPairs
    answered: KnownPairs
    beside: nn.ModuleDict
    negatives: NDArray[np.int64] | None = None

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, a pure function of its number."""
        return epoch(self.pairs, self.train, (self.seed, number), self.config.batches, self.negatives)

    def weight(self, batch: Batch) -> float:
        """Give the sum of the weights of the pairs."""
        return float(batch.weights.sum())

    def tokens(self, batch: Batch) -> int:
        """Count the tokens of the distinct texts, padding left out; each passes through the student once."""
        return self.pairs.tokens.count(np.unique(batch.rows))

    def texts(self, batch: Batch) -> list[str]:
        """Name the texts of a batch."""
        return [self.pairs.texts[row] for row in batch.rows]

    def rows(self, batch: Batch) -> NDArray[np.int64]:
        """Number the texts of a batch: rows of `pairs`."""
        return batch.rows

    def loss(self, student: Encoder, batch: Batch) -> Tensor:
        """Loss of the batch's task, the weighted mean over its pairs: float scalar, with its gradient."""
        vectors = self._vectors(student, batch.rows)
        first, second = vectors[: len(batch.first)], vectors[len(batch.first) : 2 * len(batch.first)]
        if batch.task == "nli":
            return self._inference(first, second, batch)
        if batch.task == "responses":
            return self._responses(first, second, batch)
        return translation_loss(
            first,
            second,
            vectors[2 * len(batch.first) :],
            margin=self.config.margin,
            scale=self.config.scale,
            bidirectional=self.config.bidirectional,
            same=self._same(self.known, batch, first.device),
            weights=_tensor(batch.weights, first.device),
        )

    def _inference(self, premises: Tensor, hypotheses: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the label."""
        import torch

        scores = self.beside["nli"](premises, hypotheses)
        return torch.nn.functional.cross_entropy(scores, _tensor(batch.labels, premises.device))

    def _responses(self, questions: Tensor, answers: Tensor, batch: Batch) -> Tensor:
        """Rank the batch's answers for every question, without a margin, as Chidambaram et al. 2018 do."""
        moved = self.beside["responses"](answers)
        same = self._same(self.answered, batch, questions.device)
        return ranking_loss(questions, moved, margin=0.0, scale=self.config.scale, same=same)

    def _same(self, known: KnownPairs, batch: Batch, device: torch.device) -> Tensor:
        """Tell which candidates are right for which first text: bool [b, b + h]."""
        keys = self.pairs.keys
        candidates = keys[np.concatenate([batch.second, batch.negatives])]
        return _tensor(known.holds(keys[batch.first][:, None], candidates[None, :]), device)

    def _vectors(self, student: Encoder, rows: NDArray[np.int64]) -> Tensor:
        """Encode each distinct text once, in rectangles of little padding: float32 [rows, dimension]."""
        import torch

        distinct, places = np.unique(rows, return_inverse=True)
        parts = least_padding(self.pairs.tokens.lengths[distinct], self.train.batch_tokens, _BATCH_COST)
        vectors = torch.cat(
            [
                sentence_vectors(student, self.pairs.tokens, distinct[part], dropout=self.train.dropout)
                for part in parts
            ]
        )
        back = np.argsort(np.concatenate(parts), kind="stable")
        # not [...]: its gradient is added up by threads in any order, which no resumed run could repeat
        return vectors.index_select(0, _tensor(back[places], vectors.device))


def new_objective(
    pairs: RankingTexts,
    config: RankingConfig,
    train: TrainConfig,
    seed: int,
    student: Encoder,
    negatives: NDArray[np.int64] | None = None,
) -> TranslationRanking:
    """Make the objective with fresh heads on the student's device, drawn from the seed."""
    from isoglot.objective.ranking.heads import new_heads

    size = int(pairs.keys.max()) + 1
    first = pairs.sources
    targets = pairs.keys[first : len(pairs.group)]
    tasks = with_data(pairs, config.batches)
    heads = new_heads(
        student.dimension,
        inference="nli" in tasks,
        responses="responses" in tasks,
        product=config.nli_product,
        seed=seed,
        device=next(student.model.parameters()).device,
    )
    return TranslationRanking(
        pairs=pairs,
        config=config,
        train=train,
        seed=seed,
        known=KnownPairs.of(pairs.keys[pairs.group[first:]], targets, size),
        answered=KnownPairs.of(pairs.keys[pairs.responses.first], pairs.keys[pairs.responses.second], size),
        beside=heads,
        negatives=negatives,
    )


def _tensor(array: NDArray[np.generic], device: torch.device) -> Tensor:
    import torch

    return torch.from_numpy(array).to(device)
