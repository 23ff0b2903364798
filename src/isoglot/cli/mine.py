"""`isoglot mine`: parallel sentences out of two files of one language each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from isoglot.cli.console import JsonOption, count, handled

ModelOption = Annotated[
    list[str],
    typer.Option("--model", help="A student, or any other encoder of these languages; twice: side by side."),
]
NeighboursOption = Annotated[
    int,
    typer.Option("--neighbours", "-k", min=1, help="Neighbours on each side that a pair is compared with."),
]
ModelSetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="A key of the recipe's teacher section, such as prompt=query."),
]


def mine(
    sources: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="Sentences of one language: lines of text (also .gz, .bz2, .xz, .zst), .jsonl, .parquet.",
        ),
    ],
    targets: Annotated[Path, typer.Argument(metavar="B", help="Sentences of the other language.")],
    model: ModelOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Table of pairs, best first; packed by its ending.")
    ] = Path("pairs.tsv"),
    languages: Annotated[
        str,
        typer.Option(
            "--languages", metavar="A-B", help="Such as de-en; unset: what the names of the files say."
        ),
    ] = "",
    column: Annotated[
        str,
        typer.Option(
            "--column",
            help="Where the sentences are: a key of .jsonl, a column of .parquet, a head or number of .tsv.",
        ),
    ] = "",
    neighbours: NeighboursOption = 4,
    margin: Annotated[
        Literal["ratio", "distance", "absolute"], typer.Option("--margin", help="How pairs are scored.")
    ] = "ratio",
    retrieval: Annotated[
        Literal["forward", "backward", "intersection", "max-score"],
        typer.Option("--retrieval", help="Which pairs are taken; max-score: best first, each sentence once."),
    ] = "max-score",
    min_margin: Annotated[
        float | None, typer.Option("--min-margin", help="Leave out pairs of a lower margin.")
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="Write only so many pairs, the best.")
    ] = None,
    keep_identical: Annotated[
        bool, typer.Option("--keep-identical", help="Also write pairs whose two sides are the same text.")
    ] = False,
    work: Annotated[
        Path | None,
        typer.Option(
            "--work", metavar="DIR", help="Folder of vectors and finished blocks; FILE.work by default."
        ),
    ] = None,
    block_rows: Annotated[
        int,
        typer.Option(
            "--block-rows", min=0, help="Sentences of A per block, the unit of resume; 0: by their number."
        ),
    ] = 0,
    changes: ModelSetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find sentences of A and B that translate each other, scored by margin."""
    with handled(as_json) as console:
        from isoglot.config import MineConfig
        from isoglot.pipeline.mine import MineRequest, mine_files
        from isoglot.recipe import parse_options, parse_teacher

        options = {
            "neighbours": neighbours, "margin": margin, "retrieval": retrieval, "min_margin": min_margin, "top": top,
            "keep_identical": keep_identical, "block_rows": block_rows,
        }  # fmt: skip
        config = parse_options(MineConfig, options, "isoglot mine")
        folder = work or out.with_name(f"{out.name}.work")
        request = MineRequest(sources, targets, out, folder, column, languages)
        found = mine_files(request, parse_teacher(model, changes or []), config, console)
        console.finish(found, _text(found))


def _text(found: dict[str, Any]) -> str:
    """What was found, where it lies, and how to go on."""
    lost = "".join(f", {count(rows)} left out ({reason})" for reason, rows in found["dropped"].items())
    lines = [f"{found['out']}: {count(found['pairs'])} pairs{lost}"]
    if found["margin"]:
        of = found["margin"]
        lines.append(f"margins {of['highest']:.3f} to {of['lowest']:.3f}, median {of['median']:.3f}")
    mark = "" if found["languages"] else "#SOURCE-TARGET"
    lines.append(f"next     isoglot corpus build {found['out']}{mark} --out corpus")
    lines.append(f"vectors  {found['work']} (delete it when you are done)")
    return "\n".join(lines)
