"""Bars: counted things become lengths in percent, so that a chart follows the width of the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isoglot.page.text import count, known


@dataclass(frozen=True)
class Bar:
    """A bar from the left: its length in percent, the printed value, and a class for its look."""

    label: str
    kind: str
    length: float
    value: str


def count_bars(counts: Mapping[str, int]) -> tuple[Bar, ...]:
    """Bars for counted things, longest first, relative to the longest."""
    longest = max(counts.values(), default=0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Bar(name, "count", length(number, longest), count(number)) for name, number in ordered)


def length(value: float | None, longest: float) -> float:
    """Length of a bar in percent of the longest, at most 100; 0 for what is not known."""
    if not known(value) or longest <= 0:
        return 0.0
    return round(100 * min(max(value / longest, 0.0), 1.0), 2)
