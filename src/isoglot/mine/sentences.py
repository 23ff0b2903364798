"""The sentences of one side, each distinct one once."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from isoglot.teacher.protocol import Teacher

_ASKED = 65_536  # texts that a teacher is asked about at a time


@dataclass(frozen=True)
class Side:
    """Distinct sentences in the order of their first line.

    Attributes:
        texts: NFC, with single spaces between words.
        read: lines that were read.
        dropped: reason -> lines that gave no sentence: empty, not Unicode, repeated, no vector.
    """

    texts: list[str]
    read: int
    dropped: Mapping[str, int]


def distinct(lines: Iterable[str]) -> Side:
    """Keep the first of equal sentences; what differs only in spaces or in Unicode composition is equal."""
    texts, dropped, read = dict[str, None](), Counter[str](), 0
    for line in lines:
        read += 1
        text = unicodedata.normalize("NFC", " ".join(line.split()))
        reason = "empty" if not text else "repeated" if text in texts else ""
        if not text.isascii() and not reason and not _is_unicode(text):
            reason = "not Unicode"
        if reason:
            dropped[reason] += 1
        else:
            texts[text] = None
    return Side(list(texts), read, dict(sorted(dropped.items())))


def with_vectors(side: Side, teacher: Teacher) -> Side:
    """Leave out the sentences that the model has no vector for, and count them."""
    texts: list[str] = []
    for start in range(0, len(side.texts), _ASKED):
        some = side.texts[start : start + _ASKED]
        texts += [some[row] for row in np.flatnonzero(~teacher.missing(some)).tolist()]
    lost = len(side.texts) - len(texts)
    return Side(texts, side.read, {**side.dropped, "no vector": lost}) if lost else side


def _is_unicode(text: str) -> bool:
    """Bytes that are not UTF-8 were read as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
