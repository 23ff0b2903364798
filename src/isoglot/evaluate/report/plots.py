"""Geometry of the plots about an evaluation: intervals, calibration, differences; all in percent of the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from isoglot.evaluate.report.charts import Tick, ticks
from isoglot.evaluate.report.grid import Cell, Summary
from isoglot.evaluate.report.measured import Comparison, ComparisonRow, Compat, CompatRow
from isoglot.page.bars import length
from isoglot.page.text import known

Outcome = Literal["better", "worse", "noise"]
_LEVELS = ("poor", "fair", "unknown", "good")


@dataclass(frozen=True)
class IntervalBar:
    """A bar for a score: its length and its 95 % interval, None where there is none."""

    name: str
    cell: Cell
    length: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class DifferenceRow:
    """A difference on the common axis; `outcome` is from the second model's point of view."""

    row: ComparisonRow
    outcome: Outcome
    place: float
    low: float
    high: float


@dataclass(frozen=True)
class DifferencePlot:
    """All differences of one comparison on one axis, largest gain first; `zero` is where nothing changed."""

    rows: tuple[DifferenceRow, ...]
    ticks: tuple[Tick, ...]
    zero: float

    def count(self, outcome: Outcome) -> int:
        """How many differences came out so."""
        return sum(row.outcome == outcome for row in self.rows)


@dataclass(frozen=True)
class CalibrationPanel:
    """One language: dots (from the left: the teacher's score, from the top: the student's) and the threshold."""

    row: CompatRow
    dots: tuple[tuple[float, float, str], ...]
    threshold: float | None


@dataclass(frozen=True)
class CalibrationPlot:
    """Small plots on common axes, which run from the lowest to the highest score of any of them."""

    panels: tuple[CalibrationPanel, ...]
    ticks: tuple[Tick, ...]


def interval_bars(summary: Summary) -> tuple[IntervalBar, ...]:
    """The languages of a column, best first."""
    return tuple(
        IntervalBar(row.name, cell, length(cell.result.value, 1.0), _whisker(cell.result.interval))
        for row, cell in summary.rows
    )


def differences(comparison: Comparison | None) -> DifferencePlot | None:
    """Place the differences on an axis that holds zero and all intervals; None when there is nothing to place."""
    rows = [row for row in comparison.rows if known(row.difference)] if comparison else []
    if not rows:
        return None
    levels = ticks(
        min(0.0, *(min(row.low, row.difference) for row in rows)),
        max(0.0, *(max(row.high, row.difference) for row in rows)),
    )
    rows.sort(key=lambda row: -row.difference)
    return DifferencePlot(
        rows=tuple(_difference(row, levels) for row in rows),
        ticks=tuple(Tick(_between(level, levels), _signed_points(level)) for level in levels),
        zero=_between(0.0, levels),
    )


def verdicts(compat: Compat) -> tuple[CompatRow, ...]:
    """Languages of an index, the worst verdict first; within one verdict, the lowest score first."""
    return tuple(sorted(compat.rows, key=lambda row: (_LEVELS.index(row.level), _score(row), row.language)))


def calibration(compat: Compat) -> CalibrationPlot | None:
    """One small plot per language that has a curve, in the order of `verdicts`; None when none has."""
    drawn = [row for row in verdicts(compat) if row.curve]
    if not drawn:
        return None
    scores = [score for row in drawn for point in row.curve for score in (point.teacher, point.student)]
    levels = ticks(min(scores), max(scores), 3)
    inside = compat.threshold is not None and levels[0] <= compat.threshold <= levels[-1]
    threshold = _between(compat.threshold, levels) if inside and compat.threshold is not None else None
    panels = tuple(CalibrationPanel(row, _dots(row, levels), threshold) for row in drawn)
    return CalibrationPlot(
        panels, tuple(Tick(_between(level, levels), f"{round(level, 9):g}") for level in levels)
    )


def _dots(row: CompatRow, levels: Sequence[float]) -> tuple[tuple[float, float, str], ...]:
    return tuple(
        (
            _between(point.teacher, levels),
            round(100 - _between(point.student, levels), 2),
            f"teacher {point.teacher:.2f}, student {point.student:.2f}, {point.pairs:,} pairs",
        )
        for point in row.curve
    )


def _whisker(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (length(interval[0], 1.0), length(interval[1], 1.0))


def _difference(row: ComparisonRow, levels: Sequence[float]) -> DifferenceRow:
    outcome: Outcome = "noise" if row.noise else ("better" if row.difference > 0 else "worse")
    low, high = _between(row.low, levels), _between(row.high, levels)
    return DifferenceRow(row, outcome, _between(row.difference, levels), low, high)


def _between(value: float, levels: Sequence[float]) -> float:
    return round(100 * (value - levels[0]) / (levels[-1] - levels[0]), 2)


def _signed_points(level: float) -> str:
    points = round(100 * level, 6)
    return "0" if points == 0 else f"{points:+g}".replace("-", "−")


def _score(row: CompatRow) -> float:
    values = (row.ndcg, row.overlap, row.threshold_kept)
    return next((value for value in values if value is not None), 0.0)
