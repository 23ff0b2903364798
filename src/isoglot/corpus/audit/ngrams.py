"""5-grams of normalised texts as 64-bit numbers, for millions of texts at a time.

A unit is a word between spaces; in scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Khmer,
Burmese, Tibetan) it is a character, so "Tom 是学生" has the units Tom, 是, 学, 生. A 5-gram is five units in a row. A
text of fewer than five units has none, so it can only match exactly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ORDER = 5
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, bits spread: 2**64 divided by the golden ratio


def ngrams(keys: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hash the 5-grams of some keys.

    The numbers are Python's string hashes folded together, so they are good within one process only.

    Args:
        keys: [n] texts as `isoglot.corpus.split.key` gives them.

    Returns:
        uint64 [g], one number per 5-gram and text, and int64 [g], the text each is from, ascending; a 5-gram that
        a text has twice comes once.
    """
    if not keys:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    spaced = [_spaced(key) for key in keys]
    words = " ".join(spaced).split(" ")
    units = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    lengths = np.fromiter((text.count(" ") + 1 for text in spaced), np.int64, len(spaced))
    ends = np.cumsum(lengths)
    text = np.repeat(np.arange(len(spaced)), lengths)
    starts = np.flatnonzero(np.arange(len(units)) + ORDER <= ends[text])
    grams = np.zeros(len(starts), np.uint64)
    for place in range(ORDER):
        grams = grams * _MULTIPLIER + units[starts + place]
    return _distinct(grams, text[starts])


def _spaced(key: str) -> str:
    if key.isascii() or _UNSPACED.search(key) is None:
        return key
    return " ".join(_UNSPACED.sub(r" \g<0> ", key).split())


def _distinct(
    grams: NDArray[np.uint64], text: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    order = np.lexsort((grams, text))
    grams, text = grams[order], text[order]
    new = np.ones(len(grams), bool)
    new[1:] = (grams[1:] != grams[:-1]) | (text[1:] != text[:-1])
    return grams[new], text[new]
