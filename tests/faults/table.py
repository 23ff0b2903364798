"""The table of all injections: what was done, how often, how often every promise held, and which promise."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

COLUMNS = ("injection", "count", "survived", "promise")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    injection: str
    count: int
    survived: int
    promise: str


def rows_of(results: Iterable[tuple[str, str, bool]]) -> list[Row]:
    """Count results (injection, promise, whether all promises held) into rows, in order of first sight."""
    tally: dict[tuple[str, str], list[bool]] = {}
    for injection, promise, held in results:
        tally.setdefault((injection, promise), []).append(held)
    return [Row(injection, len(held), sum(held), promise) for (injection, promise), held in tally.items()]


def markdown(rows: Iterable[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = [COLUMNS, ("---", "---:", "---:", "---")]
    lines += [(row.injection, str(row.count), str(row.survived), row.promise) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write rows as a JSON list of objects."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", "utf-8")
