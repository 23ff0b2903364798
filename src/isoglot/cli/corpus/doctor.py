"""`isoglot corpus doctor`: pairs that a student thinks are no translations of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isoglot.cli.console import JsonOption, count, handled, printable
from isoglot.cli.corpus.folder import FolderArgument
from isoglot.cli.corpus.tables import MOST_ROWS, table

if TYPE_CHECKING:
    from isoglot.pipeline.examine import Examined

_SHOWN = 10  # suspicious pairs printed with their texts


def doctor(
    folder: FolderArgument,
    model: Annotated[
        str, typer.Option("--model", help="A student folder, or any encoder that knows the languages.")
    ],
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", help="The teacher; unset: the student card's, or the encoder itself."),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", help="Suspicious from so many robust standard deviations of its language."
        ),
    ] = 4.0,
    most: Annotated[int, typer.Option("--most", min=0, help="Suspicious pairs to list, the worst.")] = 1000,
    sources: Annotated[
        int | None,
        typer.Option("--sources", min=1, help="Look at so many source sentences of each split; unset: all."),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Only train, dev or test; unset: all three.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the listed pairs as TSV.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List pairs that are probably no translations, per corpus and language, the worst first."""
    with handled(as_json) as console:
        from isoglot.corpus.export import choose
        from isoglot.corpus.store import Corpus
        from isoglot.pipeline.examine import Examination, examine, open_pair, write_tsv

        corpus = Corpus.open(folder)
        wanted = Examination(choose(corpus, (), split).splits, sources, threshold, most)
        seen = examine(corpus, open_pair(model, teacher), wanted, console)
        if out is not None:
            write_tsv(seen.suspects, out)
            console.stage("suspects", f"{count(len(seen.suspects))} pairs in {out}")
        console.finish({"threshold": threshold, **_as_json(seen)}, _text(seen, threshold))


def _as_json(seen: Examined) -> Mapping[str, object]:
    return {
        "pairs": seen.pairs.total(),
        "suspicious": seen.found.total(),
        "by corpus": [
            {"corpus": corpus, "lang": lang, "pairs": pairs, "suspicious": seen.found[corpus, lang]}
            for (corpus, lang), pairs in sorted(seen.pairs.items())
        ],
        "suspects": [asdict(one) for one in seen.suspects],
    }


def _text(seen: Examined, threshold: float) -> str:
    said = (
        f"{count(seen.found.total())} of {count(seen.pairs.total())} pairs are suspicious: "
        f"{threshold:g} or more robust standard deviations above their language"
    )
    if not seen.found:
        return said
    rows = [
        [corpus, lang, count(seen.pairs[corpus, lang]), count(found), f"{100 * found / seen.pairs[corpus, lang]:.1f} %"]
        for (corpus, lang), found in seen.found.most_common(MOST_ROWS)
    ]  # fmt: skip
    blocks = [said, table(["Corpus", "language", "pairs", "suspicious", ""], rows, right=(2, 3, 4))]
    for one in seen.suspects[:_SHOWN]:
        texts = "".join(f"\n        {printable(text)}" for text in (one.source, one.target))
        blocks.append(f"{one.score:6.1f}  {one.lang:<8} {one.corpus}{texts}")
    return "\n\n".join(blocks)
