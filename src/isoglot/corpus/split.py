"""Which split a source sentence belongs to: a pure function of its words, so nothing leaks."""

from __future__ import annotations

import functools
import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def key(text: str) -> str:
    """Return what makes two sentences the same: NFC, case folded, no punctuation (P*), single spaces."""
    if text.isascii():
        return " ".join(text.lower().translate(_ascii_punctuation()).split())
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(folded.translate(_punctuation()).split())


def keys(texts: Sequence[str]) -> Iterator[str]:
    """Yield the `key` of each text without line feeds; several times as fast as one by one for ASCII."""
    plain = "\n".join(text for text in texts if text.isascii())
    folded = iter(plain.lower().translate(_ascii_punctuation()).split("\n"))
    for text in texts:
        yield " ".join(next(folded).split()) if text.isascii() else key(text)


def positions(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return the `position` of the key of each of n texts without line feeds: uint64 [n]."""
    digests = [hashlib.blake2b(found.encode(), digest_size=8).digest() for found in keys(texts)]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


def position(sentence_key: str) -> int:
    """Return the place of a key in [0, 2**64): the first 8 bytes of blake2b, big-endian."""
    return int.from_bytes(hashlib.blake2b(sentence_key.encode(), digest_size=8).digest(), "big")


def places(dev_percent: float, test_percent: float) -> dict[Split, range]:
    """Return the places of each split: `test_percent` of test, then `dev_percent` of dev, then train."""
    test_end = round(test_percent / 100 * 2**64)
    dev_end = round((test_percent + dev_percent) / 100 * 2**64)
    return {"train": range(dev_end, 2**64), "dev": range(test_end, dev_end), "test": range(test_end)}


@functools.cache
def _ascii_punctuation() -> dict[int, None]:
    # a table of ASCII alone, because str.translate has a fast path for it
    return {number: None for number in _punctuation() if number < 0x80}


@functools.cache
def _punctuation() -> dict[int, None]:
    # Unicode has punctuation in its first two planes only; looking through all 17 takes a second
    return {number: None for number in range(0x20000) if unicodedata.category(chr(number)).startswith("P")}
