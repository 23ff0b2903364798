"""What is dropped before training, and why. Every reason is a short text that users see in the counts."""

from __future__ import annotations

import functools
import math
import operator
import re
import unicodedata
from collections.abc import Callable

from isoglot.config import CleanConfig
from isoglot.corpus.split import key

Filter = Callable[[str, str, CleanConfig], bool]

_RATIO_SLACK = 5.0  # characters added to both sides, so that "On" may become "Eingeschaltet"
_CACHED = 4096  # texts whose measures are kept: a source sentence comes again with its next translation
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SYLLABLES = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")  # kana and hangul
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_PLACEHOLDER = re.compile(
    r"\{[^{}]*\}"  # {name}, {{ template }}
    r"|%\(\w+\)[sdifr]"  # %(name)s
    r"|%(?:\d+\$)?[-+0#]*\d*(?:\.\d+)?[sdifuxr@](?!\w)"  # %s, %1$d, %.2f
    r"|</?[A-Za-z][^<>]*>"  # <tag>, </tag>, <tag/>
    r"|&(?:[a-z]+|#\d+);"  # &nbsp;
)
_NUMBERED = re.compile(r"\$[1-9](?![\d.,]*\d)")  # $1, but not $100 or $1.50


def normalise(text: str) -> str:
    """Return `text` in Unicode NFC, trimmed, with every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def reason_to_drop(source: str, target: str, config: CleanConfig) -> str | None:
    """Return why a pair of normalised texts is dropped, or None when it is kept.

    The reasons are checked in the order of `REASONS`, and only the first that applies is given.
    """
    for reason, drops in _FILTERS.items():
        if drops(source, target, config):
            return reason
    return None


def weighted_length(text: str) -> float:
    """Length in letters of an alphabet: a Han character counts 3, kana and hangul 2, all others 1."""
    if text.isascii():
        return len(text)
    return len(text) + 2 * len(_HAN.findall(text)) + len(_SYLLABLES.findall(text))


def similarity(first: str, second: str) -> float:
    """Dice coefficient of the two texts' sets of character bigrams after case folding, in [0, 1]."""
    left, right = _bigrams(first), _bigrams(second)
    if not left or not right:
        return float(first.casefold() == second.casefold())
    return 2 * len(left & right) / (len(left) + len(right))


def nearly_equal(first: str, second: str, threshold: float) -> bool:
    """Tell whether `similarity` is at least `threshold`, mostly without computing it."""
    left, folded = _bigrams(first), second.casefold()
    # the coefficient reaches t only if t / (2 - t) of the left bigrams are found on the right
    spare = len(left) - math.ceil(len(left) * threshold / (2 - threshold) - 1e-9)
    for bigram in left:
        if bigram not in folded:
            spare -= 1
            if spare < 0:
                return False
    return similarity(first, second) >= threshold


@functools.lru_cache(_CACHED)
def _bigrams(text: str) -> frozenset[str]:
    folded = text.casefold()
    return frozenset(map(operator.add, folded, folded[1:]))


def _damaged(source: str, target: str, config: CleanConfig) -> bool:
    # readers turn bytes that are not UTF-8 into lone surrogates, and JSON can hold them too
    return _has_surrogate(source) or _has_surrogate(target)


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def _empty(source: str, target: str, config: CleanConfig) -> bool:
    return not source or not target


def _wordless(source: str, target: str, config: CleanConfig) -> bool:
    return not (_has_word(source) and _has_word(target))


def _has_word(text: str) -> bool:
    # the pattern is only the faster answer
    return _LETTER_OR_DIGIT.search(text) is not None or key(text) != ""


def _too_short(source: str, target: str, config: CleanConfig) -> bool:
    shorter = min(source, target, key=len)
    return len(shorter) < config.min_chars and min(map(weighted_length, (source, target))) < config.min_chars


def _too_long(source: str, target: str, config: CleanConfig) -> bool:
    return max(len(source), len(target)) > config.max_chars


def _identical(source: str, target: str, config: CleanConfig) -> bool:
    return source == target


def _placeholder(source: str, target: str, config: CleanConfig) -> bool:
    if not config.drop_placeholders:
        return False
    if _PLACEHOLDER.search(source) is not None or _PLACEHOLDER.search(target) is not None:
        return True
    # on one side alone, $5 is money
    return "$" in source and _NUMBERED.search(source) is not None and _NUMBERED.search(target) is not None


def _length_ratio(source: str, target: str, config: CleanConfig) -> bool:
    first, second = weighted_length(source) + _RATIO_SLACK, weighted_length(target) + _RATIO_SLACK
    return max(first, second) > config.max_length_ratio * min(first, second)


def _near_untranslated(source: str, target: str, config: CleanConfig) -> bool:
    return config.max_untranslated < 1 and nearly_equal(source, target, config.max_untranslated)


_FILTERS: dict[str, Filter] = {
    "not Unicode": _damaged,
    "empty": _empty,
    "only punctuation": _wordless,
    "too short": _too_short,
    "too long": _too_long,
    "identical": _identical,
    "placeholder": _placeholder,
    "length ratio": _length_ratio,
    "near-untranslated": _near_untranslated,
}

# the last two are counted later, over the whole corpus
REASONS = (*_FILTERS, "duplicate", "over the cap")
