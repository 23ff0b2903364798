"""`isoglot corpus show`: what a corpus holds, what was dropped and why, and how its languages will be mixed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.corpus.folder import FolderArgument, totals

if TYPE_CHECKING:
    from isoglot.corpus.overview import Overview


def show(
    folder: FolderArgument,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the same as one HTML page.")
    ] = None,
    examples: Annotated[
        int, typer.Option("--examples", min=0, help="Dropped rows to show for every reason.")
    ] = 2,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature", min=0, max=1, help="Sampling exponent of the shares: 1 by size, 0 all equal."
        ),
    ] = 0.5,
    targets_per_group: Annotated[
        int,
        typer.Option("--targets-per-group", min=1, help="Translations drawn per source sentence and epoch."),
    ] = 3,
    everything: Annotated[bool, typer.Option("--all", help="List every language and corpus.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a corpus holds, why rows were dropped, and the share of each language in training."""
    with handled(as_json) as console:
        from isoglot.corpus.overview import Mixing, overview
        from isoglot.corpus.store import Corpus

        corpus = Corpus.open(folder)
        seen = overview(corpus, Mixing(temperature, targets_per_group))
        if html is not None:
            from isoglot.corpus.page import page

            page.write(seen, html)
            console.stage("page", str(html))
        found = {"folder": str(folder), "inputs": dict(corpus.manifest.inputs), **corpus.manifest.counts}
        console.finish({**found, **_drawn(seen)}, _text(corpus.manifest.counts, seen, examples, everything))


def _drawn(seen: Overview) -> dict[str, Any]:
    """What is not in the manifest's counts."""
    return {
        "temperature": seen.mixing.temperature,
        "targets per group": seen.mixing.targets_per_group,
        "shares": {language.part.lang: language.share for language in seen.languages},
        "examples": [dict(row) for row in seen.examples],
        "notice": seen.notice,
    }


def _text(counts: Any, seen: Overview, examples: int, everything: bool) -> str:  # noqa: ANN401  the manifest's
    from isoglot.cli.corpus import tables

    most = None if everything else tables.MOST_ROWS
    blocks = [totals(counts), tables.reasons(seen), tables.languages(seen, most), tables.parts(seen, most)]
    blocks.append(tables.lengths(seen))
    if examples and seen.examples:
        blocks.append(tables.examples(seen, examples))
    return "\n\n".join([*blocks, tables.terms(seen, most)])
