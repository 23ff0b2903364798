"""Geometry of the charts: records become positions in percent; the templates draw them as SVG.

Everything is placed in percent of the drawing, so that a chart follows the width of the window while its
letters keep their size. Texts of the corpus only pass through; the template escapes them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from isoglot.evaluate.report.data import (
    CurvePoint,
    LanguageRow,
    MapPoint,
    Report,
    Stage,
    language_name,
)
from isoglot.page.bars import Bar, count_bars, length
from isoglot.page.text import count, duration, known, percent, score

MAP_ASPECT = 1.25  # width over height; the style sheet gives the map the same shape
HUES = 10
MAP_POINTS = 1000


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in percent from the left or the top."""

    place: float
    label: str


@dataclass(frozen=True)
class Dot:
    """A point of a line: position in percent, a tooltip, and whether its weights were shipped."""

    x: float
    y: float
    title: str
    value: str
    shipped: bool


@dataclass(frozen=True)
class LinePanel:
    """One score against minutes; `start` is the height of the warm start in percent from the top."""

    name: str
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    start: float
    start_label: str


@dataclass(frozen=True)
class PlacedPoint:
    """A point of the map with its position in percent."""

    point: MapPoint
    x: float
    y: float


@dataclass(frozen=True)
class Cluster:
    """One sentence on the map: the teacher's point first when there is one, then the translations."""

    number: int
    hue: int
    teacher: PlacedPoint | None
    translations: tuple[PlacedPoint, ...]


def stage_bars(row: LanguageRow, stages: Sequence[Stage]) -> tuple[Bar, ...]:
    """One bar per stage for a language's top-1 accuracy against the teacher's vectors."""
    return tuple(
        Bar(
            stage,
            stage.replace(" ", "-"),
            length(row.to_teacher(stage), 1.0),
            percent(row.to_teacher(stage)),
        )
        for stage in stages
    )


def kept_bars(report: Report) -> tuple[Bar, ...]:
    """Rows of the corpus that were kept in each language, under the language's name."""
    if report.corpus is None:
        return ()
    return tuple(
        replace(bar, label=language_name(report, bar.label)) for bar in count_bars(report.corpus.rows)
    )


def line_panels(curve: Sequence[CurvePoint], shipped_step: int | None) -> tuple[LinePanel, ...]:
    """Retrieval, Spearman and R² against minutes; no panel for a curve of fewer than two points."""
    if len(curve) < 2:
        return ()
    curve = sorted(curve, key=lambda point: point.minutes)
    panels = (
        _panel("Retrieval, top-1", curve, [point.retrieval for point in curve], shipped_step, "%"),
        _panel("Spearman", curve, [point.spearman for point in curve], shipped_step, ""),
        _panel("R²", curve, [point.r2 for point in curve], shipped_step, ""),
    )
    return tuple(panel for panel in panels if panel is not None)


def clusters(points: Iterable[MapPoint]) -> tuple[Cluster, ...]:
    """Place the points of the map, one unit equally long in both directions, grouped by sentence.

    Sentences in more than a hundred languages would make a page of megabytes: those that no longer fit are left out.
    """
    finite = _fitting([point for point in points if known(point.x) and known(point.y)])
    if not finite:
        return ()
    placed = _place(finite)
    groups = sorted({point.group for point in finite})
    return tuple(
        _cluster(number, [place for place in placed if place.point.group == group])
        for number, group in enumerate(groups)
    )


def _fitting(points: Sequence[MapPoint]) -> list[MapPoint]:
    """The points of the first sentences, all of a sentence or none, and of the first sentence in any case."""
    sizes = Counter(point.group for point in points)
    running = accumulate(sizes.values())
    fitting = {group for group, total in zip(sizes, running, strict=True) if total <= MAP_POINTS}
    fitting |= set(list(sizes)[:1])
    return [point for point in points if point.group in fitting]


def ticks(low: float, high: float, wanted: int = 4) -> tuple[float, ...]:
    """Round numbers from at most `low` to at least `high`, about `wanted` steps apart."""
    step = _round_step(max(high - low, 1e-3) / wanted)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(index * step for index in range(first, max(last, first + 1) + 1))


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)


def _panel(
    name: str,
    curve: Sequence[CurvePoint],
    values: Sequence[float | None],
    shipped_step: int | None,
    unit: Literal["%", ""],
) -> LinePanel | None:
    drawn = [(point, value) for point, value in zip(curve, values, strict=True) if known(value)]
    if len(drawn) < 2:
        return None
    show = percent if unit == "%" else score
    levels = ticks(min(value for _, value in drawn), max(value for _, value in drawn))
    minutes = curve[-1].minutes or 1.0
    dots = tuple(
        Dot(
            x=_place_between(point.minutes, 0.0, minutes),
            y=100 - _place_between(value, levels[0], levels[-1]),
            title=f"{duration(point.minutes)}, step {count(point.step)}: {show(value)}",
            value=show(value),
            shipped=point.step == shipped_step,
        )
        for point, value in drawn
    )
    return LinePanel(
        name=name,
        dots=dots,
        x_ticks=_minute_ticks(minutes),
        y_ticks=_level_ticks(levels, unit),
        start=dots[0].y,
        start_label=dots[0].value,
    )


def _level_ticks(levels: Sequence[float], unit: Literal["%", ""]) -> tuple[Tick, ...]:
    """Label each level with as many decimals as the step between them needs."""
    factor = 100 if unit == "%" else 1
    decimals = max(0, math.ceil(-math.log10((levels[1] - levels[0]) * factor) - 1e-9))
    return tuple(
        Tick(
            100 - _place_between(level, levels[0], levels[-1]),
            f"{level * factor:.{decimals}f}{unit}".replace("-", "−"),
        )
        for level in levels
    )


def _minute_ticks(minutes: float) -> tuple[Tick, ...]:
    places = [minute for minute in ticks(0.0, minutes) if minute <= minutes]
    return tuple(Tick(_place_between(minute, 0.0, minutes), f"{minute:g}") for minute in places)


def _place_between(value: float, low: float, high: float) -> float:
    return round(100 * (value - low) / ((high - low) or 1.0), 2)


def _place(points: Sequence[MapPoint]) -> list[PlacedPoint]:
    """Fit the points into the map with a margin of 4 %, centred."""
    left, right = min(point.x for point in points), max(point.x for point in points)
    low, high = min(point.y for point in points), max(point.y for point in points)
    unit = 92 / (max((right - left) / MAP_ASPECT, high - low) or 1.0)
    middle_x, middle_y = (left + right) / 2, (low + high) / 2
    return [
        PlacedPoint(
            point,
            x=round(50 + (point.x - middle_x) * unit / MAP_ASPECT, 2),
            y=round(50 - (point.y - middle_y) * unit, 2),
        )
        for point in points
    ]


def _cluster(number: int, members: Sequence[PlacedPoint]) -> Cluster:
    return Cluster(
        number=number,
        hue=number % HUES,
        teacher=next((member for member in members if member.point.is_teacher), None),
        translations=tuple(member for member in members if not member.point.is_teacher),
    )
