"""`isoglot corpus`: build a folder of parallel sentences and look into it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from isoglot.cli.console import JsonOption, count, handled

app = typer.Typer(help="Build and inspect folders of parallel sentences.", no_args_is_help=True)

_SOURCE_HELP = (
    "Files: .tsv, .csv, .jsonl, .parquet, .tmx, .xlf, .po, .mo, OPUS .xml; text may be .gz, .bz2, .xz or .zst; "
    "`#en-de` behind a name says its languages. Or moses:A.en,B.de, gettext:FOLDER, tatoeba:FOLDER, "
    "package:NAME==VERSION."
)
_SPLITS = ("train", "dev", "test")
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `isoglot corpus build`.")]


@app.command()
def build(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help=_SOURCE_HELP)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The corpus folder to write.")],
    languages: Annotated[
        str, typer.Option("--languages", help="Target languages to keep, such as de,fr,zh-Hans; unset: all.")
    ] = "",
    source_lang: Annotated[str, typer.Option("--source-lang", help="The teacher's language.")] = "en",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Another corpus option of a recipe, such as clean.max_chars=500.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read sources, drop what does not help, and write one folder with train, dev and test."""
    with handled(as_json) as console:
        from isoglot.corpus.build import build as build_corpus
        from isoglot.recipe import parse_corpus

        codes = [code.strip() for code in languages.split(",") if code.strip()]
        raw = {"sources": sources, "languages": codes, "source_lang": source_lang}
        config = parse_corpus(raw, settings or [])
        corpus = build_corpus(config, out, console)
        console.finish(
            {"folder": str(out), **corpus.manifest.counts}, f"{out}: {_totals(corpus.manifest.counts)}"
        )


@app.command()
def show(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Show what a corpus holds and why rows were dropped, per language."""
    with handled(as_json) as console:
        from isoglot.corpus.store import Corpus

        corpus = Corpus.open(folder)
        counts = corpus.manifest.counts
        text = f"{_totals(counts)}\n\n{_language_table(counts)}\n\n{corpus.notice}"
        console.finish(
            {"folder": str(folder), "inputs": dict(corpus.manifest.inputs), **counts}, text.rstrip()
        )


@app.command()
def languages(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """List the languages of a corpus: tag, name, pairs, and the codes its sources used."""
    with handled(as_json) as console:
        from isoglot.corpus.languages import name
        from isoglot.corpus.store import Corpus

        counts = Corpus.open(folder).manifest.counts
        found = [
            {"tag": tag, "name": name(tag), "pairs": of["kept"], "codes": counts["codes"][tag]}
            for tag, of in counts["languages"].items()
        ]
        lines = [f"{one['tag']:<12} {count(one['pairs']):>11}  {one['name']}" for one in found]
        console.finish({"languages": found}, "\n".join(lines))


def _totals(counts: Mapping[str, Any]) -> str:
    sources = counts["sources"]
    splits = ", ".join(f"{split} {count(sources[split])}" for split in _SPLITS)
    return (
        f"{count(counts['kept'])} pairs kept of {count(counts['read'])} rows, "
        f"{count(sum(sources.values()))} distinct source sentences ({splits})"
    )


def _language_table(counts: Mapping[str, Any]) -> str:
    """One row per language: what was kept in each split, and one column per reason of dropping."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    reasons = sorted(counts["dropped"], key=lambda reason: -counts["dropped"][reason])
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("language")
    for title in ("read", "kept", *_SPLITS, *reasons):
        table.add_column(title, justify="right")
    for tag, of in counts["languages"].items():
        numbers = [
            of["read"],
            of["kept"],
            *(of["splits"][split] for split in _SPLITS),
            *(of["dropped"].get(reason, 0) for reason in reasons),
        ]
        table.add_row(tag, *map(count, numbers))
    text = io.StringIO()
    Console(file=text, width=200, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())
