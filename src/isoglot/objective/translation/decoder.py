"""The decoder: one LSTM that writes a translation out of a sentence vector (LASER: Artetxe & Schwenk 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isoglot.encode.tokens import Tokens
from isoglot.objective.translation.surprise import mean_surprise
from isoglot.objective_config import TranslationConfig


@dataclass(frozen=True)
class Packed:
    """Texts to write, step after step and without padding: first the first pieces of all texts, then the second ones.

    Attributes:
        text: int64 [s], which text each step belongs to.
        given: int64 [s], the piece before it; the boundary at the beginning.
        wanted: int64 [s], the piece to write; the boundary at the end.
        sizes: int64 [longest], how many texts have a first step, a second one, and so on.
    """

    text: NDArray[np.int64]
    given: NDArray[np.int64]
    wanted: NDArray[np.int64]
    sizes: NDArray[np.int64]


def pack(pieces: Tokens, rows: NDArray[np.int64], boundary: int) -> Packed:
    """Lay out some texts for the decoder, the longest first, as packed sequences of torch are.

    Args:
        pieces: ids without special tokens.
        rows: int64 [k], which texts, in order of falling length.
        boundary: id that stands before and behind every text.
    """
    lengths = pieces.lengths[rows] + 1
    steps = np.arange(int(lengths[0]))
    present = (steps[:, None] < lengths[None, :]).T
    ids = np.full(present.shape, boundary, np.int64)
    ids[:, :-1][present[:, 1:]] = np.concatenate(
        [pieces.ids[pieces.offsets[r] : pieces.offsets[r + 1]] for r in rows]
    )
    before = np.full_like(ids, boundary)
    before[:, 1:] = ids[:, :-1]
    step_first = present.T
    return Packed(np.nonzero(step_first)[1], before.T[step_first], ids.T[step_first], step_first.sum(1))


class Decoder(nn.Module):
    """An LSTM language model that sees a sentence vector at every step and begins in a state made from it.

    One more id than the vocabulary has, the last one, is the boundary: given it, the decoder begins a text; writing
    it, the decoder ends one.

    Args:
        vector: width of the sentence vectors.
        vocabulary: ids that occur, without the boundary.
        config: widths, layers, dropout and the languages that are written.
    """

    def __init__(self, vector: int, vocabulary: int, config: TranslationConfig) -> None:
        super().__init__()
        self.boundary = vocabulary
        self.pieces = nn.Embedding(vocabulary + 1, config.embedding)
        self.languages = nn.Embedding(len(config.targets), config.language)
        width = config.embedding + vector + config.language
        self.lstm = nn.LSTM(width, config.decoder, config.decoder_layers)
        self.begin = nn.Linear(vector, 2 * config.decoder_layers * config.decoder)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.decoder, vocabulary + 1)

    def loss(self, vectors: Tensor, languages: Tensor, texts: Packed, weights: Tensor) -> Tensor:
        """Weighted mean over all steps of the cross-entropy of the right piece, the right ones before it given.

        Args:
            vectors: float [k, vector], of what is translated.
            languages: int64 [k], which target language to write.
            texts: the k translations.
            weights: float [k], of every step of a text.

        Returns:
            float scalar, in nats.
        """
        device = vectors.device
        text = torch.from_numpy(texts.text).to(device)
        given, wanted = torch.from_numpy(texts.given).to(device), torch.from_numpy(texts.wanted).to(device)
        # not [text]: its gradient is added up by threads in any order, which no resumed run could repeat
        every_step = torch.cat([vectors, self.languages(languages)], 1).index_select(0, text)
        inputs = self.dropout(torch.cat([self.pieces(given), every_step], 1))
        packed = nn.utils.rnn.PackedSequence(inputs, torch.from_numpy(texts.sizes))
        hidden = self.dropout(self.lstm(packed, self._begin(vectors))[0].data)
        return mean_surprise(hidden, self.output.weight, self.output.bias, wanted, weights[text])

    def write(self, vectors: Tensor, languages: Tensor, longest: int) -> list[list[int]]:
        """Translate greedily: at every step the likeliest piece, until the boundary.

        Args:
            vectors: float [k, vector].
            languages: int64 [k], which target language to write.
            longest: most pieces of a text.

        Returns:
            The ids of each text, the boundary left out.
        """
        written: list[list[int]] = [[] for _ in vectors]
        done = [False] * len(written)
        every_step = torch.cat([vectors, self.languages(languages)], 1)
        last = torch.full((len(vectors),), self.boundary, device=vectors.device)
        state = self._begin(vectors)
        for _ in range(longest):
            hidden, state = self.lstm(torch.cat([self.pieces(last), every_step], 1)[None], state)
            last = self.output(hidden[0]).argmax(1)
            for number, piece in enumerate(last.tolist()):
                done[number] = done[number] or piece == self.boundary
                if not done[number]:
                    written[number].append(piece)
            if all(done):
                break
        return written

    def _begin(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """First state: hidden and cell, each float [layers, k, units]."""
        both = self.begin(vectors).view(len(vectors), 2 * self.lstm.num_layers, self.lstm.hidden_size)
        hidden, cell = both.transpose(0, 1).contiguous().chunk(2)
        return hidden, cell
