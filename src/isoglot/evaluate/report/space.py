"""Health of a space, arranged: all languages together, each language, each sentence length, and both at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from isoglot.evaluate.report.data import Report, language_name
from isoglot.evaluate.report.grid import shade
from isoglot.evaluate.report.measured import HealthRow
from isoglot.page.bars import length
from isoglot.page.text import known


@dataclass(frozen=True)
class LengthBar:
    """Sentences of one length in all languages: how near they are to the teacher's vectors."""

    row: HealthRow
    length: float


@dataclass(frozen=True)
class LanguageLengths:
    """One language: its cosine to the teacher and the cosine's shade per length, None where nothing was measured."""

    name: str
    cells: tuple[tuple[HealthRow, int] | None, ...]


@dataclass(frozen=True)
class SpaceView:
    """What the page shows of a space; `languages` and `crossed` have the weakest language last."""

    together: HealthRow | None
    languages: tuple[tuple[str, HealthRow], ...]
    lengths: tuple[LengthBar, ...]
    spans: tuple[str, ...]
    crossed: tuple[LanguageLengths, ...]


def space_view(report: Report) -> SpaceView | None:
    """Arrange the rows; None when there are none."""
    if not report.health:
        return None
    plain = [row for row in report.health if row.length is None]
    by_length = [row for row in report.health if row.language is None and row.length is not None]
    by_length.sort(key=lambda row: _tokens(row.length or ""))
    languages = sorted(
        ((language_name(report, row.language), row) for row in plain if row.language is not None), key=_place
    )
    spans = tuple(row.length or "" for row in by_length)
    return SpaceView(
        together=next((row for row in plain if row.language is None), None),
        languages=tuple(languages),
        lengths=tuple(LengthBar(row, length(row.cosine, 1.0)) for row in by_length if known(row.cosine)),
        spans=spans,
        crossed=_crossed(report, spans, [row.language or "" for _, row in languages]),
    )


def _crossed(report: Report, spans: Sequence[str], tags: Sequence[str]) -> tuple[LanguageLengths, ...]:
    cells = {
        (row.language, row.length): (row, shade(row.cosine))
        for row in report.health
        if row.language is not None and row.length is not None and known(row.cosine)
    }
    measured = [tag for tag in tags if any((tag, span) in cells for span in spans)]
    return tuple(
        LanguageLengths(language_name(report, tag), tuple(cells.get((tag, span)) for span in spans))
        for tag in measured
    )


def _tokens(span: str) -> int:
    """Where a span such as "9-16 tokens" or "over 16 tokens" belongs: by its last number, "over" after all others."""
    numbers = re.findall(r"\d+", span)
    return (int(numbers[-1]) if numbers else 0) + span.startswith("over")


def _place(named: tuple[str, HealthRow]) -> tuple[float, str]:
    name, row = named
    return (-row.cosine if known(row.cosine) else 2.0), name
