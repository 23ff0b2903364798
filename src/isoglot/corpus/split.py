"""Which split a source sentence belongs to: a pure function of its words, so nothing leaks."""

from __future__ import annotations

import functools
import hashlib
import unicodedata
from typing import Literal, get_args

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def key(text: str) -> str:
    """Return what makes two sentences the same: NFC, case folded, no punctuation (P*), single spaces."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(folded.translate(_punctuation()).split())


def position(sentence_key: str) -> int:
    """Return the place of a key in [0, 2**64): the first 8 bytes of blake2b, big-endian."""
    return int.from_bytes(hashlib.blake2b(sentence_key.encode(), digest_size=8).digest(), "big")


def split_at(place: int, dev_percent: float, test_percent: float) -> Split:
    """Return the split at a place: `test_percent` of test, then `dev_percent` of dev, then train."""
    percent = place / 2**64 * 100
    if percent < test_percent:
        return "test"
    return "dev" if percent < test_percent + dev_percent else "train"


@functools.cache
def _punctuation() -> dict[int, None]:
    # Unicode has punctuation in its first two planes only; looking through all 17 takes a second
    return {number: None for number in range(0x20000) if unicodedata.category(chr(number)).startswith("P")}
