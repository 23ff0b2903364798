"""Scores of test sets as a grid: a row per language, a column per test set, and what each column says in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from isoglot.evaluate.report.data import Report, language_name
from isoglot.evaluate.report.measured import TaskResult
from isoglot.page.text import known

# Fixed, so that a colour means the same on every page; the upper shades are closer together, as good scores are.
SHADES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
TASKS: Mapping[str, str] = {
    "heldout": "Held-out sentences",
    "search": "Similarity search",
    "sts": "Semantic similarity",
    "mining": "Bitext mining",
    "clustering": "Clustering",
    "bias": "Language bias",
}
Kind = Literal["within", "across", "to", "from"]
_ORDER = list(TASKS)
_PIVOT = "en"  # the language that the second text of a pair has, and so no row of its own


@dataclass(frozen=True)
class Column:
    """A test set under one metric.

    Attributes:
        kind: "within" one language or "across" two; "to" or "from" English where both directions were measured.
    """

    task: str
    test_set: str
    metric: str
    kind: Kind

    @property
    def task_name(self) -> str:
        """What people call the task."""
        return TASKS.get(self.task, self.task)


@dataclass(frozen=True)
class Cell:
    """A score with its shade, 0 (lowest) to `len(SHADES)`, and whether it is the lowest of its column."""

    result: TaskResult
    shade: int
    lowest: bool


@dataclass(frozen=True)
class Row:
    """A language, or two that are searched in each other."""

    tags: tuple[str, ...]
    name: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Summary:
    """A column in short: unweighted mean, and its rows from best to worst."""

    column: Column
    mean: float
    rows: tuple[tuple[Row, Cell], ...]


@dataclass(frozen=True)
class Grid:
    """Main scores as a table; `mixed` are the columns whose kind alone tells them from another."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    summaries: tuple[Summary, ...]
    mixed: frozenset[Column]


def grid(report: Report) -> Grid:
    """Arrange the main scores of one language or two; best language of the first column first."""
    drawn = [result for result in report.results if result.main and single(result) and known(result.value)]
    directed = _measured_both_ways(drawn)
    cells = {(_row(result), _column(result, directed)): result for result in drawn}
    columns = tuple(sorted({column for _, column in cells}, key=_place))
    values = {column: [of.value for (_, own), of in cells.items() if own == column] for column in columns}
    lowest = {column: min(of) if min(of) < max(of) else None for column, of in values.items()}
    rows = [
        Row(tags, _name(report, tags), tuple(_cell(cells.get((tags, of)), lowest[of]) for of in columns))
        for tags in {tags for tags, _ in cells}
    ]
    rows.sort(key=_best_first)
    summaries = tuple(_summary(column, number, rows) for number, column in enumerate(columns))
    named = Counter((of.task, of.test_set, of.metric) for of in columns)
    mixed = frozenset(of for of in columns if named[of.task, of.test_set, of.metric] > 1)
    return Grid(columns, tuple(rows), summaries, mixed)


def single(result: TaskResult) -> bool:
    """Tell whether a score belongs to one language or one pair of languages, and is a score.

    The difference of two scores, as the language bias has it, is best at 0 and has no place on a scale up to 1.
    """
    return len(set(result.languages)) in (1, 2) and " minus " not in result.metric


def pooled(results: Sequence[TaskResult]) -> tuple[TaskResult, ...]:
    """Scores of three or more languages together, and differences of scores."""
    return tuple(result for result in results if not single(result))


def shade(value: float) -> int:
    """The shade of a score, 0 (lowest) to `len(SHADES)`."""
    return sum(value >= bound for bound in SHADES)


def _cell(result: TaskResult | None, lowest: float | None) -> Cell | None:
    return None if result is None else Cell(result, shade(result.value), result.value == lowest)


def _measured_both_ways(results: Sequence[TaskResult]) -> set[tuple[str, str, str]]:
    """Task, test set and metric of results that one language would have twice."""
    counted = Counter((_row(result), _column(result, set())) for result in results)
    return {
        (column.task, column.test_set, column.metric) for (_, column), times in counted.items() if times > 1
    }


def _column(result: TaskResult, directed: set[tuple[str, str, str]]) -> Column:
    first = result.languages[0]
    kind: Kind = "within" if len(set(result.languages)) == 1 else "across"
    if kind == "across" and (result.task, result.test_set, result.metric) in directed:
        kind = "from" if first == _PIVOT else "to"
    return Column(result.task, result.test_set, result.metric, kind)


def _row(result: TaskResult) -> tuple[str, ...]:
    """The language that the score says something about: the one that is not the pivot, else both."""
    return tuple(sorted(set(result.languages) - {_PIVOT})) or (_PIVOT,)


def _name(report: Report, tags: tuple[str, ...]) -> str:
    return "–".join(language_name(report, tag) for tag in tags)


def _place(column: Column) -> tuple[int, str, str, str]:
    known_task = _ORDER.index(column.task) if column.task in _ORDER else len(_ORDER)
    return known_task, column.test_set, column.kind, column.metric


def _best_first(row: Row) -> tuple[list[float], str]:
    return [2.0 if cell is None else -cell.result.value for cell in row.cells], row.name


def _summary(column: Column, number: int, rows: Sequence[Row]) -> Summary:
    found = [(row, cell) for row in rows if (cell := row.cells[number]) is not None]
    found.sort(key=lambda pair: (-pair[1].result.value, pair[0].name))
    return Summary(column, fmean(cell.result.value for _, cell in found), tuple(found))
