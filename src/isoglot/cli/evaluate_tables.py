"""Scores and comparisons as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from isoglot.cli.corpus.tables import table

if TYPE_CHECKING:
    from isoglot.evaluate.compare import Compared, Difference

_MOST = 8  # languages of one test set, the lowest scores
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
    """Per test set and metric the mean over languages and the lowest; of the main metric some more of these."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: not entry["main"]):
        groups.setdefault((entry["test_set"], entry["metric"]), []).append(entry)
    rows: list[list[str]] = []
    for test_set in dict.fromkeys(name for name, _ in groups):
        found = [
            row for (name, _), members in groups.items() if name == test_set for row in _metric_rows(members)
        ]
        contaminated = any(entry["contaminated"] for entry in entries if entry["test_set"] == test_set)
        rows += [["", *row] for row in found]
        rows[-len(found)][0] = test_set + (" (contaminated)" if contaminated else "")
    return table([task, "", "", "", "95 %"], rows, (3, 4))


def _metric_rows(entries: Sequence[Entry]) -> list[list[str]]:
    ordered = sorted(entries, key=lambda entry: entry["value"])
    shown = ordered[: _MOST if entries[0]["main"] else 1]
    lines = [[_languages(entry), f"{entry['value']:.3f}", _interval(entry)] for entry in shown]
    if len(ordered) > 1:
        lines.insert(0, [f"mean of {len(ordered)}", f"{fmean(entry['value'] for entry in ordered):.3f}", ""])
        lines[1][0] = f"lowest: {lines[1][0]}"
    if len(shown) < len(ordered) and entries[0]["main"]:
        lines.append([f"and {len(ordered) - len(shown)} higher", "", ""])
    return [["" if number else entries[0]["metric"], *line] for number, line in enumerate(lines)]


def _languages(entry: Entry) -> str:
    part = f" ({entry['part']})" if entry["part"] > 1 else ""
    return _named(entry["languages"]) + part


def _interval(entry: Entry) -> str:
    return "" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"


def _named(tags: Sequence[str]) -> str:
    from isoglot.corpus.languages import is_code, name

    distinct = [name(tag) if is_code(tag) else tag for tag in dict.fromkeys(tags)]
    return " - ".join(distinct) if len(distinct) < 4 else f"{len(distinct)} languages"


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
