"""`isoglot corpus clean`: a corpus without its misaligned pairs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from isoglot.cli.console import JsonOption, count, handled
from isoglot.cli.corpus.folder import FolderArgument
from isoglot.cli.mine import ModelOption, ModelSetOption, NeighboursOption, WorkOption


def clean(
    folder: FolderArgument,
    model: ModelOption,
    margin: Annotated[
        float,
        typer.Option(
            "--margin", help="Leave out pairs of a lower margin; 1: no nearer than their neighbours."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The corpus folder to write.")],
    score: Annotated[
        Literal["ratio", "distance", "absolute"],
        typer.Option(
            "--score", help="How a pair's cosine is related to its neighbours'; absolute: not at all."
        ),
    ] = "ratio",
    neighbours: NeighboursOption = 4,
    work: WorkOption = None,
    changes: ModelSetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave out pairs that are misaligned, by their margin."""
    with handled(as_json) as console:
        from isoglot.config import MarginConfig
        from isoglot.pipeline.margin import CleanRequest, drop_misaligned
        from isoglot.recipe import parse_options, parse_teacher

        request = CleanRequest(folder, out, work or Path(f"{out}.work"))
        options = {"least": margin, "score": score, "neighbours": neighbours}
        config = parse_options(MarginConfig, options, "--margin")
        found = drop_misaligned(request, parse_teacher(model, changes or []), config, console)
        console.finish(found, _text(found))


def _text(found: dict[str, Any]) -> str:
    from isoglot.cli.corpus.tables import table

    said = f"{found['out']}: {count(found['kept'])} pairs kept, {count(found['dropped'])} left out for their margin"
    shares = list(next((of["margins"] for of in found["languages"].values() if of["margins"]), {}))
    rows = [
        [
            tag,
            count(of["kept"]),
            count(of["dropped"]),
            *(f"{of['margins'].get(share, math.nan):.3f}" for share in shares),
        ]
        for tag, of in found["languages"].items()
    ]
    heads = ["language", "kept", "left out", *shares]
    notes = ["Margins that so many of a language's pairs do not exceed; nan: too few pairs to judge"]
    return "\n\n".join([said, table(heads, rows, right=range(1, len(heads))), *notes])
