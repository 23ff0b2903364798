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


ColumnOption = Annotated[
    str,
    typer.Option(
        "--column", help="Where the sentences are: key of .jsonl, column of .parquet, head or number in .tsv."
    ),
]
MarginOption = Annotated[
    Literal["ratio", "distance", "absolute"],
    typer.Option("--margin", help="How a pair's cosine is related to its neighbours'; absolute: not at all."),
]
RetrievalOption = Annotated[
    Literal["forward", "backward", "intersection", "max-score"],
    typer.Option("--retrieval", help="Which pairs are taken; max-score: best first, each sentence once."),
]
IdenticalOption = Annotated[
    bool, typer.Option("--keep-identical", help="Also write pairs whose two sides are the same text.")
]
MaxMinutesOption = Annotated[
    float | None,
    typer.Option(
        "--max-minutes",
        help="Search approximately, with FAISS, what would take longer; its recall is printed.",
    ),
]
BlockOption = Annotated[
    int,
    typer.Option(
        "--block-rows", min=0, help="Sentences of A per block, the unit of resume; 0: by their number."
    ),
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", metavar="DIR", help="Folder of vectors and finished blocks; OUT.work by default."),
]


def mine(
    sources: Annotated[
        Path, typer.Argument(metavar="A", help="Sentences of one language: lines of text, .jsonl, .parquet.")
    ],
    targets: Annotated[Path, typer.Argument(metavar="B", help="Sentences of the other language.")],
    model: ModelOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Table of pairs, best first; packed by its ending.")
    ] = Path("pairs.tsv"),
    languages: Annotated[
        str,
        typer.Option("--languages", metavar="A-B", help="Such as de-en; unset: by the names of the files."),
    ] = "",
    column: ColumnOption = "",
    neighbours: NeighboursOption = 4,
    margin: MarginOption = "ratio",
    retrieval: RetrievalOption = "max-score",
    min_margin: Annotated[
        float | None, typer.Option("--min-margin", help="Leave out pairs of a lower margin.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only so many pairs, the best.")] = None,
    keep_identical: IdenticalOption = False,
    max_minutes: MaxMinutesOption = None,
    work: WorkOption = None,
    block_rows: BlockOption = 0,
    changes: ModelSetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find sentences of two files that translate each other."""
    with handled(as_json) as console:
        from isoglot.config import MineConfig
        from isoglot.pipeline.mine import MineRequest, mine_files
        from isoglot.recipe import parse_options, parse_teacher

        options = {
            "neighbours": neighbours, "margin": margin, "retrieval": retrieval, "min_margin": min_margin, "top": top,
            "keep_identical": keep_identical, "block_rows": block_rows,
            "max_minutes": max_minutes,
        }  # fmt: skip
        config = parse_options(MineConfig, options, "isoglot mine")
        folder = work or Path(f"{out}.work")
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
    if found["search"]["kind"] == "approximate":
        recalls = "{:.3f} forward, {:.3f} backward".format(*found["search"]["recall"])
        lines.append(f"search   approximate; recall of the exact neighbours, on a sample: {recalls}")
    mark = "" if found["languages"] else "#SOURCE-TARGET"
    lines.append(f"next     isoglot corpus build {found['out']}{mark} --out corpus")
    lines.append(f"vectors  {found['work']} (delete it when you are done)")
    return "\n".join(lines)
