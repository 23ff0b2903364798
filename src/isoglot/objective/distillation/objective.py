"""Distillation as the training loop sees it: examples, their batches and their loss in one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.objective.distillation.batches import Batch, epoch
from isoglot.objective.distillation.examples import Examples
from isoglot.objective.distillation.loss import Terms
from isoglot.objective.forward import sentence_vectors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from isoglot.encode.encoder import Encoder


@dataclass(frozen=True)
class Distillation:
    """Every text lands on the teacher's vector of the sentence that it says.

    Attributes:
        examples: texts and teacher vectors; ids as the student counts them while it trains.
        config: budget, draws, terms of the loss, dropout.
        seed: of order and draws.
        prefixes: widths at which the front of a vector is a vector on its own; empty: the whole alone.
    """

    examples: Examples
    config: TrainConfig
    seed: int
    prefixes: tuple[int, ...] = ()

    @property
    def beside(self) -> nn.ModuleDict:
        """Nothing learns beside the student."""
        from torch import nn

        return nn.ModuleDict()

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, a pure function of its number."""
        return epoch(self.examples, self.config, self.seed, number)

    def weight(self, batch: Batch) -> float:
        """Give the sum of the weights of the squared distances."""
        return float(batch.weights.sum())

    def tokens(self, batch: Batch) -> int:
        """Count the tokens of the texts, padding left out."""
        return self.examples.tokens.count(batch.rows)

    def loss(self, student: Encoder, batch: Batch) -> Tensor:
        """Mean over the batch of `Terms.loss`: float scalar, with its gradient."""
        import torch

        vectors = sentence_vectors(student, self.examples.tokens, batch.rows, dropout=self.config.dropout)
        targets = torch.from_numpy(self.examples.vectors[self.examples.group[batch.rows]]).to(vectors.device)
        weights = torch.from_numpy(batch.weights).to(vectors.device)
        terms = Terms(self.config.contrast, self.config.cosine, self.prefixes, student.model.shape.normalise)
        return terms.loss(vectors, targets, weights)

    def texts(self, batch: Batch) -> list[str]:
        """Name the texts of a batch."""
        return [self.examples.texts[row] for row in batch.rows]

    def rows(self, batch: Batch) -> NDArray[np.int64]:
        """Number the texts of a batch: rows of `examples`."""
        return batch.rows
