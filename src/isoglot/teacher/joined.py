"""Two or more spaces side by side: one vector that holds every teacher's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.encode.unit import unit
from isoglot.teacher.protocol import Teacher, encode_each


@dataclass(frozen=True)
class Joined:
    """The teachers' vectors one after another, each times its weight.

    When all parts have unit length the whole is scaled to unit length too, and its cosine is the mean of the parts'
    cosines, each weighted by its squared weight.

    Attributes:
        parts: at least two teachers.
        weights: factor on each, positive.
        normalise: whether the whole gets unit length.
    """

    parts: tuple[Teacher, ...]
    weights: tuple[float, ...]
    normalise: bool

    @property
    def dimension(self) -> int:
        """Width of the vectors: the sum of the parts'."""
        return sum(part.dimension for part in self.parts)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i."""
        return self._joined([part.encode(texts) for part in self.parts])

    def encode_each(self, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        """Encode lists one after another, ahead where the parts can."""
        return map(self._joined, zip(*(encode_each(part, lists) for part in self.parts), strict=True))

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts at least one part has no vector for, bool [len(texts)]."""
        lacking: NDArray[np.bool_] = np.any([part.missing(texts) for part in self.parts], axis=0)
        return lacking

    def space(self) -> dict[str, object]:
        """The parts' spaces, numbered from 1, their weights, and the digest over all."""
        spaces = [part.space() for part in self.parts]
        named = {
            f"{number}.{key}": value
            for number, space in enumerate(spaces, 1)
            for key, value in space.items()
            if key != "fingerprint"
        }
        digest = digest_json([[space["fingerprint"] for space in spaces], list(self.weights), self.normalise])
        return {
            **named,
            "weights of the parts": list(self.weights),
            "normalise": self.normalise,
            "dimension": self.dimension,
            "fingerprint": digest,
        }

    def _joined(self, columns: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        weighted = [np.float32(weight) * one for weight, one in zip(self.weights, columns, strict=True)]
        whole = np.concatenate(weighted, axis=1)
        return unit(whole) if self.normalise else whole
