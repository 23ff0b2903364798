"""A column of texts as one array of code points, so that a filter is a few array operations for all rows."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.clean import characters

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """n texts with c characters in all.

    Attributes:
        texts: the texts.
        codes: uint32 [c], the code points of all texts, one text behind the other.
        starts: int64 [n + 1], where each text starts in `codes`; the last is c.
        flags: uint16 [c], what each character is (`isoglot.corpus.clean.characters`).
        kinds: uint16 [n], the flags that occur in each text.
    """

    texts: Sequence[str]
    codes: NDArray[np.uint32]
    starts: Counts
    flags: NDArray[np.uint16]
    kinds: NDArray[np.uint16]

    @staticmethod
    def of(texts: Sequence[str]) -> Column:
        """Lay out the code points of some texts; lone surrogates stay."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
        flags = characters.flags().take(codes, mode="clip")  # faster than checking every index
        kinds = np.zeros(len(texts), np.uint16)
        filled = lengths > 0
        if len(codes):
            kinds[filled] = np.bitwise_or.reduceat(flags, starts[:-1][filled])
        return Column(texts, codes, starts, flags, kinds)

    @functools.cached_property
    def lengths(self) -> Counts:
        """Characters of each text: int64 [n]."""
        return np.diff(self.starts)

    def has(self, kind: int) -> Mask:
        """Tell which texts hold a character of a kind: bool [n]."""
        found: Mask = (self.kinds & kind) != 0
        return found

    def count(self, characters_wanted: Mask) -> Counts:
        """Count the chosen characters (bool [c]) of each text: int64 [n]."""
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(characters_wanted, dtype=np.int64)])
        counts: Counts = total[self.starts[1:]] - total[self.starts[:-1]]
        return counts

    def rows_of(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Give the text that each place in `codes` lies in."""
        return np.searchsorted(self.starts, places, side="right") - 1

    @functools.cached_property
    def ascii_lengths(self) -> Counts:
        """ASCII characters of each text: int64 [n]."""
        return self.count(self.codes < 0x80)

    @functools.cached_property
    def weighted_lengths(self) -> Counts:
        """Length in letters of an alphabet: a Han character counts 3, kana and hangul 2, all others 1."""
        weighted = self.lengths
        for kind, extra in ((characters.HAN, 2), (characters.SYLLABLE, 1)):
            if self.has(kind).any():
                weighted = weighted + extra * self.count((self.flags & kind) != 0)
        return weighted

    def digits(self) -> Counts:
        """Count the decimal digits of each text, of any script: int64 [n, 10]."""
        places = np.flatnonzero(self.flags & characters.DIGIT)
        codes, inverse = np.unique(self.codes[places], return_inverse=True)
        values = np.array([unicodedata.decimal(chr(code)) for code in codes], np.int64)
        cells = self.rows_of(places) * 10 + values[inverse]
        return np.bincount(cells, minlength=10 * len(self.texts)).reshape(-1, 10)

    def longest_run_reaches(self, length: int) -> Mask:
        """Tell which texts repeat one character at least `length` times in a row: bool [n]; `length` >= 2."""
        same = self.codes[1:] == self.codes[:-1]
        wanted, reach = length - 1, 1  # `same[i]` now says: `reach` equal neighbours start at i
        while reach < wanted:
            step = min(reach, wanted - reach)
            same = same[step:] & same[: max(0, len(same) - step)]
            reach += step
        found = np.zeros(len(self.texts), np.bool_)
        places = np.flatnonzero(same)
        rows = self.rows_of(places)
        found[rows[places + wanted < self.starts[rows + 1]]] = True
        return found
