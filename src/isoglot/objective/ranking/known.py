"""Which texts belong together, so that no text is ranked below one that is as right as itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.split import positions


def number_keys(texts: Sequence[str]) -> NDArray[np.int64]:
    """Number texts so that those equal when normalised (as the splits and the audit do it) have one number.

    Args:
        texts: [n], without line feeds.

    Returns:
        int64 [n], below n.
    """
    if not texts:
        return np.zeros(0, np.int64)
    return np.unique(positions(texts), return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class KnownPairs:
    """All pairs of a task, by the numbers of their normalised texts.

    Attributes:
        codes: int64, sorted and distinct: first x size + second.
        size: above every number.
    """

    codes: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, first: NDArray[np.int64], second: NDArray[np.int64], size: int) -> KnownPairs:
        """Know the pairs (first[i], second[i]); numbers are below `size`."""
        return cls(np.unique(first * size + second), size)

    def holds(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which pairs are known, or are one text twice: a duplicate of a right answer is none of the wrong ones.

        Args:
            first: int64, numbers of first texts.
            second: int64, of second ones; both are broadcast.
        """
        found: NDArray[np.bool_] = first == second
        if not len(self.codes):
            return found
        wanted = first * self.size + second
        places = np.searchsorted(self.codes, wanted).clip(max=len(self.codes) - 1)
        found |= self.codes[places] == wanted
        return found

    def most(self) -> int:
        """Largest number of texts that go with one first text, itself included; at least 1."""
        return 1 + int(np.bincount(self.codes // self.size).max(initial=0))
