"""`isoglot corpus audit`: which rows of a corpus are in the test sets."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isoglot.cli.console import JsonOption, count, handled

if TYPE_CHECKING:
    from isoglot.corpus.audit.scan import Audit

_CORPUS_HELP = "Corpus folders, or SOURCEs as for `corpus build`, read as they are: nothing is cleaned."
_AGAINST_HELP = (
    "A folder, zip or file with test sets: LASER's Tatoeba, FLORES-200, STS 2017, STSb, BUCC, XNLI, SIB-200, MASSIVE."
    " May be repeated."
)
_NEAR_HELP = (
    "Count a row as a near match when at least this share of the 5-grams of a test sentence is in one of its sides;"
    " of words, or of characters where a script has no spaces, and for test sentences of at least eight of them."
)
_SHOWN = 3  # examples per test set on the terminal


def audit(
    corpora: Annotated[list[str], typer.Argument(metavar="CORPUS", help=_CORPUS_HELP)],
    against: Annotated[list[Path], typer.Option("--against", metavar="PATH", help=_AGAINST_HELP)],
    near: Annotated[float, typer.Option("--near", help=_NEAR_HELP)] = 0.75,
    exact: Annotated[
        bool, typer.Option("--exact", help="Look for exact matches only, which is faster.")
    ] = False,
    source_lang: Annotated[
        str,
        typer.Option(
            "--source-lang", help="The teacher's language, when no CORPUS is a folder that says it."
        ),
    ] = "en",
    as_json: JsonOption = False,
) -> None:
    """Count the rows whose source or other side is a sentence of a test set, and show some."""
    with handled(as_json) as console:
        from isoglot.corpus.audit.audit import audit as audit_corpora

        found = audit_corpora(corpora, against, None if exact else near, source_lang, console)
        console.finish(
            _as_json(found), f"{_summary(found)}\n\n{_table(found)}\n\n{_examples(found)}".rstrip()
        )


def _as_json(found: Audit) -> dict[str, Any]:
    return {
        "rows": found.read.total(),
        "test_sets": list(found.test_sets),
        "totals": {test_set: asdict(leaks) for test_set, leaks in found.totals().items()},
        "leaks": [{**place._asdict(), **asdict(leaks)} for place, leaks in sorted(found.leaks.items())],
        "examples": [
            {name: value for name, value in asdict(example).items() if name != "digest"}
            for example in found.examples
        ],
    }


def _summary(found: Audit) -> str:
    totals = found.totals()
    clean = [test_set for test_set in found.test_sets if test_set not in totals]
    lines = [f"{count(found.read.total())} rows against {', '.join(found.test_sets)}"]
    if clean:
        lines.append(f"no row is in {', '.join(clean)}")
    return "\n".join(lines)


def _table(found: Audit) -> str:
    """One row per corpus and test set; languages are in the JSON."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("corpus", "test set"):
        table.add_column(title)
    for title in ("rows", "by source side", "by other side", "of its language", "near"):
        table.add_column(title, justify="right")
    for (corpus, test_set), leaks in sorted(found.by_corpus().items()):
        table.add_row(corpus, test_set, *map(count, asdict(leaks).values()))
    text = io.StringIO()
    Console(file=text, width=200, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def _examples(found: Audit) -> str:
    lines = []
    for test_set in found.test_sets:
        examples = [example for example in found.examples if example.test_set == test_set]
        for example in sorted(examples, key=lambda example: (not example.exact, -len(example.text)))[:_SHOWN]:
            how = "exact" if example.exact else f"near {example.overlap:.0%}"
            lines.append(f"{test_set} ({example.test_language}), {how}, {example.corpus}: {example.text}")
            if not example.exact:
                lines.append(f"    test sentence: {example.test_sentence}")
    return "\n".join(lines)
