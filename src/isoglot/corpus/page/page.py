"""An overview of a corpus as one HTML file: what the templates show of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from isoglot.corpus.overview import Language, Overview
from isoglot.disk import write_atomic
from isoglot.page import document
from isoglot.page.bars import Bar, count_bars, length

MOST_EXAMPLES = 24  # of one reason


@dataclass(frozen=True)
class Examples:
    """Dropped rows of one reason: some of those that the corpus folder keeps."""

    reason: str
    lost: int
    rows: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class LengthClass:
    """One class of length: sources and translations, each in percent of the longest bar and in words."""

    label: str
    source: Bar
    target: Bar


def render(overview: Overview) -> str:
    """Return the whole page as HTML."""
    values = {
        "overview": overview,
        "reasons": count_bars(overview.total.dropped),
        "corpora": count_bars({part.corpus: part.lost for part in overview.corpora if part.lost}),
        "classes": _classes(overview),
        "columns": {language.part.lang: _columns(language) for language in overview.languages},
        "middles": {language.part.lang: _middle(language) for language in overview.languages},
        "widest": max((language.share for language in overview.languages), default=0.0),
        "length": length,
        "examples": [
            Examples(reason, lost, overview.examples_of(reason, MOST_EXAMPLES))
            for reason, lost in overview.total.reasons
        ],
        "names": {language.part.lang: language.name for language in overview.languages},
    }
    return document.render("isoglot.corpus.page", values, kind="corpus", title=overview.title)


def write(overview: Overview, path: Path) -> None:
    """Write the page to `path`, whole or not at all."""
    write_atomic(path, render(overview))


def labels(edges: Sequence[int]) -> list[str]:
    """Names of the classes of length: 0–9, 10–19, ..., 640 and more."""
    return [*(f"{low}–{high - 1}" for low, high in pairwise(edges)), f"{edges[-1]} and more"]


def _classes(overview: Overview) -> list[LengthClass]:
    """Both sides as shares of their own total, on one scale, so that their shapes can be compared."""
    sides = (overview.source_lengths, overview.target_lengths or (0,) * len(overview.edges))
    longest = max(rows / max(sum(side), 1) for side in sides for rows in side)
    return [
        LengthClass(label, *(_share_bar(side[place], sum(side), longest) for side in sides))
        for place, label in enumerate(labels(overview.edges))
    ]


def _share_bar(rows: int, whole: int, longest: float) -> Bar:
    share = rows / max(whole, 1)
    return Bar("", "count", length(share, longest), f"{100 * share:.1f}%")


def _columns(language: Language) -> list[tuple[float, float]]:
    """A small histogram of one language: left edge and height of each column, in percent."""
    longest = max(language.lengths, default=0)
    width = 100 / max(len(language.lengths), 1)
    return [(round(width * place, 2), length(rows, longest)) for place, rows in enumerate(language.lengths)]


def _middle(language: Language) -> int:
    """Number of the class that holds the median translation, to sort languages by."""
    reached = accumulate(language.lengths)
    return next((place for place, rows in enumerate(reached) if 2 * rows >= sum(language.lengths)), 0)
