"""Translation as the training loop sees it: texts, their batches, the decoder and its loss in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.objective.forward import sentence_vectors
from isoglot.objective.translation.turns import Batch, TranslationTexts, epoch
from isoglot.objective_config import TranslationConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

    from isoglot.encode.encoder import Encoder
    from isoglot.objective.translation.decoder import Decoder

DECODER = "decoder"


@dataclass(frozen=True)
class Translation:
    """A decoder writes the translations of a text out of nothing but its sentence vector.

    Attributes:
        pairs: what is read and written; ids as the student counts them while it trains.
        train: budget and draws.
        seed: of order and draws.
        beside: the decoder.
    """

    pairs: TranslationTexts
    train: TrainConfig
    seed: int
    beside: nn.ModuleDict

    @property
    def decoder(self) -> Decoder:
        """What writes."""
        from isoglot.objective.translation.decoder import Decoder

        decoder = self.beside[DECODER]
        assert isinstance(decoder, Decoder)  # noqa: S101  narrows ModuleDict's element type
        return decoder

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, a pure function of its number."""
        return epoch(self.pairs, self.train, self.seed, number)

    def weight(self, batch: Batch) -> float:
        """Give the sum of the weights of all steps of the decoder."""
        return float((batch.weights * (self.pairs.pieces.lengths[batch.written] + 1)).sum())

    def tokens(self, batch: Batch) -> int:
        """Count the tokens that are read, padding left out; those that are written do not pass through the student."""
        return self.pairs.read.tokens.count(batch.read)

    def loss(self, student: Encoder, batch: Batch) -> Tensor:
        """Weighted mean cross-entropy of a step of the decoder, in nats: float scalar, with its gradient."""
        import torch

        from isoglot.objective.translation.decoder import pack

        vectors = sentence_vectors(student, self.pairs.read.tokens, batch.read, dropout=self.train.dropout)
        order = np.argsort(-self.pairs.pieces.lengths[batch.written], kind="stable")
        written = batch.written[order]
        decoder = self.decoder.train()
        texts = pack(self.pairs.pieces, written, decoder.boundary)
        origin, languages, weights = (
            torch.from_numpy(column).to(vectors.device)
            for column in (batch.origin[order], self.pairs.target[written], batch.weights[order])
        )
        return decoder.loss(vectors.index_select(0, origin), languages, texts, weights)

    def texts(self, batch: Batch) -> list[str]:
        """Name the texts of a batch: those that are read, and behind them those that are written."""
        return [self.pairs.read.texts[row] for row in self.rows(batch)]

    def rows(self, batch: Batch) -> NDArray[np.int64]:
        """Number the texts of a batch, as `texts` names them."""
        return np.concatenate([batch.read, batch.written])


def new_objective(
    pairs: TranslationTexts, config: TranslationConfig, train: TrainConfig, seed: int, student: Encoder
) -> Translation:
    """Make the objective with a fresh decoder on the student's device, drawn from the seed."""
    import torch
    from torch import nn

    from isoglot.objective.translation.decoder import Decoder

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        decoder = Decoder(student.dimension, len(pairs.alphabet), config)
    beside = nn.ModuleDict({DECODER: decoder}).to(next(student.model.parameters()).device)
    return Translation(pairs, train, seed, beside)


def translate(objective: Translation, student: Encoder, texts: Sequence[str], target: str) -> list[str]:
    """Translate texts greedily into one of the objective's targets, in the letters that the vocabulary keeps.

    No translation is longer than the longest text that was there to be written.
    """
    import torch

    decoder, alphabet = objective.decoder.eval(), objective.pairs.alphabet
    number = objective.pairs.targets.index(target)
    device = next(decoder.parameters()).device
    longest = int(objective.pairs.pieces.lengths.max())  # a static student has no limit of its own
    with torch.inference_mode():
        vectors = torch.from_numpy(student.encode(texts)).to(device)
        languages = torch.full((len(texts),), number, device=device)
        written = decoder.write(vectors, languages, longest)
    return [str(student.tokenizer.backend.decode([int(alphabet[piece]) for piece in one])) for one in written]
