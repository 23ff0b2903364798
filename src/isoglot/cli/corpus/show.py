"""`isoglot corpus show`: what a corpus holds and what was dropped."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from isoglot.cli.console import JsonOption, count, handled
from isoglot.cli.corpus.folder import SPLITS, FolderArgument, totals


def show(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Show what a corpus holds and why rows were dropped, per language."""
    with handled(as_json) as console:
        from isoglot.corpus.store import Corpus

        corpus = Corpus.open(folder)
        counts = corpus.manifest.counts
        text = f"{totals(counts)}\n\n{_language_table(counts)}\n\n{corpus.notice}"
        console.finish(
            {"folder": str(folder), "inputs": dict(corpus.manifest.inputs), **counts}, text.rstrip()
        )


def _language_table(counts: Mapping[str, Any]) -> str:
    """One row per language: what was kept in each split, and one column per reason of dropping."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    reasons = sorted(counts["dropped"], key=lambda reason: -counts["dropped"][reason])
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("language")
    for title in ("read", "kept", *SPLITS, *reasons):
        table.add_column(title, justify="right")
    for tag, of in counts["languages"].items():
        numbers = [
            of["read"],
            of["kept"],
            *(of["splits"][split] for split in SPLITS),
            *(of["dropped"].get(reason, 0) for reason in reasons),
        ]
        table.add_row(tag, *map(count, numbers))
    text = io.StringIO()
    Console(file=text, width=200, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())
