"""What each Unicode character is, as one table of bit flags that a whole column of text looks up at once."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

WORD = 1  # a letter or digit of any script
LETTER = 2
DIGIT = 4
HAN = 8  # one character says about as much as three letters
SYLLABLE = 16  # kana and hangul: about as much as two
COMPOSING = (
    32  # NFC may write it otherwise: marks, hangul's trailing letters, characters with a decomposition
)
BROKEN = 64  # lone surrogates, U+FFFD and characters that Unicode will never assign
SPACE = 128  # white space other than U+0020
PLACEHOLDER = 256  # characters that begin a placeholder: { % < & $
INVISIBLE = 512  # control and zero-width characters

TRAILING_JAMO = range(0x1161, 0x11C3)  # hangul vowels and finals: letters that compose with the letter before
ZERO_WIDTH = frozenset(
    chr(number)
    for span in (
        range(0xAD, 0xAE),  # soft hyphen
        range(0x180E, 0x180F),
        range(0x200B, 0x2010),  # zero-width space and joiners, direction marks
        range(0x202A, 0x202F),  # direction overrides
        range(0x2060, 0x2070),
        range(0xFEFF, 0xFF00),  # byte order mark
        range(0xFFF9, 0xFFFC),
        range(0xE0000, 0xE0080),  # tags
    )
    for number in span
)
_ASSIGNED = (range(0x40000), range(0xE0000, 0xE0200))  # the planes that hold characters; the others are empty
_HAN = (range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x32000))
_SYLLABLES = (range(0x3040, 0x3100), range(0xAC00, 0xD7B0))


@functools.cache
def flags() -> NDArray[np.uint16]:
    """Return the table: uint16 [0x110000], the flags of each code point. It takes about 0.3 s, once."""
    table = np.zeros(0x110000, np.uint16)
    for span in _ASSIGNED:
        table[span.start : span.stop] = np.fromiter(_flags(span), np.uint16, len(span))
    for spans, flag in ((_HAN, HAN), (_SYLLABLES, SYLLABLE)):
        for span in spans:
            table[span.start : span.stop] |= flag
    table[0xD800:0xE000] = BROKEN
    table[0xFDD0:0xFDF0] = BROKEN
    table[0xFFFD] = BROKEN
    for plane in range(17):
        table[plane * 0x10000 + 0xFFFE : plane * 0x10000 + 0x10000] = BROKEN
    return table


def _flags(span: range) -> Iterator[int]:
    for number in span:
        character = chr(number)
        category = unicodedata.category(character)
        if category == "Cn":
            yield 0
        elif category[0] == "L":
            yield WORD | LETTER | COMPOSING * _composes(character, number)
        elif category[0] == "N":
            yield WORD | DIGIT * (category == "Nd") | COMPOSING * _composes(character, number)
        elif category[0] == "M":
            yield COMPOSING | INVISIBLE * (character in ZERO_WIDTH)
        elif character.isspace():
            yield SPACE * (character != " ") | COMPOSING * _composes(character, number)
        elif category == "Cc" or character in ZERO_WIDTH:
            yield INVISIBLE
        else:
            yield PLACEHOLDER * (character in "{%<&$") | COMPOSING * _composes(character, number)


def _composes(character: str, number: int) -> bool:
    """Tell whether NFC may write a character that is no mark otherwise, alone or behind another one."""
    return number in TRAILING_JAMO or not unicodedata.is_normalized("NFC", character)
