"""Scores and comparisons as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from isoglot.cli.corpus.tables import table

if TYPE_CHECKING:
    from isoglot.evaluate.compare import Compared, Difference

_MOST = 8  # rows of one test set, the lowest scores
_HELD_OUT = "heldout"  # its stages have a line of their own
Entry = Mapping[str, Any]


def scores_text(scores: Mapping[str, Any]) -> str:
    """One table per task, and what was skipped."""
    entries: Sequence[Entry] = scores["tasks"]
    tasks = dict.fromkeys(entry["task"] for entry in entries)
    tables = [_task_table(task, [entry for entry in entries if entry["task"] == task]) for task in tasks]
    skipped = [f"skipped  {one['task']}: {one['reason']}" for one in scores["skipped"]]
    lines = [scores["summary"]] if _HELD_OUT in tasks and "shipped" in scores else []
    return "\n\n".join([*tables, *lines, *(["\n".join(skipped)] if skipped else [])])


def comparison_text(compared: Compared) -> str:
    """One table per task: both models, the difference, and whether it is noise."""
    tasks = dict.fromkeys(row.task for row in compared.rows)
    parts = [_difference_table(task, [row for row in compared.rows if row.task == task]) for task in tasks]
    for name, keys in ((compared.first, compared.only_first), (compared.second, compared.only_second)):
        if keys:
            parts.append("\n".join([f"Only {name} has:", *(f"  {key.replace('|', ' ')}" for key in keys)]))
    return "\n\n".join(parts)


def _task_table(task: str, entries: Sequence[Entry]) -> str:
    metrics = list(dict.fromkeys(entry["metric"] for entry in entries))
    main = list(dict.fromkeys(entry["metric"] for entry in entries if entry["main"]))
    columns = [*main, *(metric for metric in metrics if metric not in main)]
    rows = []
    for test_set in dict.fromkeys(entry["test_set"] for entry in entries):
        rows += _test_set_rows(test_set, [e for e in entries if e["test_set"] == test_set], columns)
    return table([task, "", *columns, "95 %"], rows, range(2, 3 + len(columns)))


def _test_set_rows(test_set: str, entries: Sequence[Entry], columns: Sequence[str]) -> list[list[str]]:
    """The mean over languages, then the lowest scores, lowest first."""
    groups: dict[tuple[str, ...], dict[str, Entry]] = {}
    for entry in entries:
        groups.setdefault((*entry["languages"], str(entry["part"])), {})[entry["metric"]] = entry
    ordered = sorted(groups.values(), key=lambda group: _lead(group)["value"])
    rows = [
        [
            _languages(_lead(group)),
            *(_value(group.get(metric)) for metric in columns),
            _interval(_lead(group)),
        ]
        for group in ordered[:_MOST]
    ]
    if len(ordered) > 1:
        means = ([group[metric]["value"] for group in ordered if metric in group] for metric in columns)
        mean = [f"{fmean(values):.3f}" if values else "" for values in means]
        rows = [[f"mean of {len(ordered)}", *mean, ""], *rows]
    if len(ordered) > _MOST:
        rows.append([f"and {len(ordered) - _MOST} higher", *[""] * len(columns), ""])
    name = test_set + (" (contaminated)" if any(entry["contaminated"] for entry in entries) else "")
    return [["" if number else name, *row] for number, row in enumerate(rows)]


def _lead(group: Mapping[str, Entry]) -> Entry:
    """The entry of a test set in some languages that stands for it."""
    return next((entry for entry in group.values() if entry["main"]), next(iter(group.values())))


def _languages(entry: Entry) -> str:
    part = f" ({entry['part']})" if entry["part"] > 1 else ""
    return _named(entry["languages"]) + part


def _named(tags: Sequence[str]) -> str:
    from isoglot.corpus.languages import is_code, name

    distinct = [name(tag) if is_code(tag) else tag for tag in dict.fromkeys(tags)]
    return " - ".join(distinct) if len(distinct) < 4 else f"{len(distinct)} languages"


def _value(entry: Entry | None) -> str:
    return "" if entry is None else f"{entry['value']:.3f}"


def _interval(entry: Entry) -> str:
    return "" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"


def _difference_table(task: str, rows: Sequence[Difference]) -> str:
    cells = [
        [
            row.test_set + (" (contaminated)" if row.contaminated else ""),
            _named(row.languages) if row.languages else f"mean of {row.over}",
            row.metric, f"{row.first:.3f}", f"{row.second:.3f}", f"{row.difference:+.3f}",
            f"{row.low:+.3f} to {row.high:+.3f}", f"{row.p:.3f}", "noise" if row.noise else "",
        ]
        for row in rows
    ]  # fmt: skip
    heads = [task, "", "", "first", "second", "difference", "95 %", "p", ""]
    return table(heads, cells, range(3, 8))
