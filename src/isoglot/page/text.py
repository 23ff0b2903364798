"""How texts and numbers look on the page: hostile characters removed, one format per kind of number."""

from __future__ import annotations

import math
import re
from typing import TypeGuard

from markupsafe import Markup

MISSING = "–"

_TERMINAL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_SPACES = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# Controls, bidirectional embeddings, overrides and isolates, interlinear and tag characters, the BOM.
# Joiners and plain direction marks stay: Persian, Hindi and Hebrew need them.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def clean(value: object) -> object:
    """Make a template value safe to print before it is escaped; anything but plain text passes unchanged.

    Terminal sequences, control characters and bidirectional overrides vanish, line breaks become spaces, and
    lone surrogates, which UTF-8 cannot hold, become U+FFFD.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = _SPACES.sub(" ", _TERMINAL_SEQUENCE.sub("", value))
    return _SURROGATE.sub("\ufffd", _FORBIDDEN.sub("", text))


def language_tag(tag: str) -> str:
    """The tag for a `lang` attribute; "und" when it is not shaped like a BCP 47 tag."""
    return tag if _LANGUAGE_TAG.fullmatch(tag) else "und"


def percent(share: float | None) -> str:
    """A share of 0..1 as a percentage with one decimal."""
    return MISSING if not known(share) else f"{100 * share:.1f}%"


def score(value: float | None) -> str:
    """An R², a correlation or a cosine; three decimals as long as they mean something."""
    if not known(value):
        return MISSING
    if abs(value) >= 10_000:
        return _minus(f"{value:.1e}")
    return _minus(f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}")


def points(value: float | None) -> str:
    """An accuracy, a correlation or an F1 as papers print it: times 100, one decimal."""
    return MISSING if not known(value) else _minus(f"{100 * value:.1f}")


def signed_points(difference: float | None) -> str:
    """A difference of two scores, times 100, with its sign; two decimals, because differences are small."""
    return MISSING if not known(difference) else _minus(f"{100 * difference:+.2f}")


def probability(p: float | None) -> str:
    """A p value; small ones only as a bound."""
    if not known(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def decimal(value: float | None) -> str:
    """A number of things that need not be whole, such as an effective rank."""
    return MISSING if not known(value) else _minus(f"{value:,.1f}")


def thousandths(value: float | None) -> str:
    """A mean squared error per component, times 1000 (unit vectors of 384 dimensions: 0 to 5)."""
    if not known(value):
        return MISSING
    return f"{1000 * value:.2f}" if value < 1 else f"{1000 * value:,.0f}"


def significant(value: float | None) -> str:
    """A training loss: three significant digits."""
    return MISSING if not known(value) else f"{value:.3g}"


def count(value: int) -> str:
    """A whole number with thousands separators."""
    return f"{value:,}"


def duration(minutes: float) -> str:
    """Minutes as people say them: seconds below one minute, hours from two hours on."""
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.1f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def known(value: float | None) -> TypeGuard[float]:
    """Tell whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def _minus(number: str) -> str:
    return number.replace("-", "−", 1) if number.startswith("-") else number
