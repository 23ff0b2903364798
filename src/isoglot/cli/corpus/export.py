"""`isoglot corpus export`: a corpus folder in the formats that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, count, handled
from isoglot.cli.corpus.folder import FolderArgument, LanguagesOption, codes


def export(
    folder: FolderArgument,
    form: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="One of moses, tmx, tsv, jsonl, parquet.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="File to write, packed when it ends in .gz, .bz2, .xz or .zst; for moses the beginning of names: "
            "train.gz gives train.en-de.en.gz and train.en-de.de.gz.",
        ),
    ],
    split: Annotated[str, typer.Option("--split", help="Only train, dev or test; unset: all three.")] = "",
    languages: LanguagesOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the pairs of a corpus as Moses files, TMX, TSV, JSON Lines or Parquet."""
    with handled(as_json) as console:
        from isoglot.corpus.export import choose
        from isoglot.corpus.export import export as export_corpus
        from isoglot.corpus.store import Corpus

        wanted = choose(Corpus.open(folder), codes(languages), split)
        written = export_corpus(wanted, form, out, console)
        names = [str(path) for path in written.files]
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        console.finish(
            {"files": names, "notice": f"{out}.NOTICE", "pairs": written.pairs},
            f"{', '.join(names[:2])}{more}: {count(written.pairs)} pairs; terms of the sources: {out}.NOTICE",
        )
