"""`isoglot corpus build`: from files and packages to a corpus folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.corpus.folder import LanguagesOption, codes, totals

_SOURCE_HELP = (
    "Files: .tsv, .csv, .jsonl, .parquet, .tmx, .xlf, .po, .mo, OPUS .xml; text may be .gz, .bz2, .xz or .zst; "
    "`#en-de` behind a name says its languages. Archives: FILE.zip, .whl, .deb or .tar, or FILE.zip:MEMBER. "
    "Or moses:A.en,B.de, json:en.json,de.json, muse:FILE, wikititles:FILE, gettext:FOLDER, tatoeba:FOLDER or "
    "tatoeba:eng-deu, opus:CORPUS/de-en or opus:CORPUS/VERSION/de-en, hf:ORG/NAME/CONFIG or hf:FOLDER, "
    "package:NAME==VERSION."
)


def build(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help=_SOURCE_HELP)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The corpus folder to write.")],
    languages: LanguagesOption = "",
    source_lang: Annotated[str, typer.Option("--source-lang", help="The teacher's language.")] = "en",
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            metavar="LANG=COLUMN,...",
            help="Columns of .tsv and .csv files: en=English,de=German by their heads, en=1,de=2 without a header.",
        ),
    ] = "",
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

        raw = {
            "sources": sources,
            "languages": codes(languages),
            "source_lang": source_lang,
            "read": {"columns": columns.split(",") if columns else []},
        }
        corpus = build_corpus(parse_corpus(raw, settings or []), out, console)
        counts = corpus.manifest.counts
        console.finish({"folder": str(out), **counts}, f"{out}: {totals(counts)}")
