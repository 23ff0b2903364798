"""`isoglot embed`: teacher vectors of a corpus, each distinct sentence once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.run import TeacherOption


def embed(
    corpus: Annotated[Path, typer.Argument(help="A corpus folder.")],
    teacher: TeacherOption,
    store: Annotated[Path, typer.Option("--store", help="The store; made when missing, continued when not.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="A key of the recipe's teacher section: prompt=query, dimension=128."),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that embed, each with a teacher of its own.")
    ] = 1,
    shard: Annotated[
        str,
        typer.Option(
            "--shard",
            help="Do only this part of the work, such as 2/8, in a store of its own (see store merge).",
        ),
    ] = "1/1",
    known: Annotated[
        Path | None,
        typer.Option("--known", help="Leave out what this store holds; the parts can be merged into it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Embed every distinct source sentence of a corpus once."""
    with handled(as_json) as console:
        from isoglot.pipeline.vectors import embed_corpus
        from isoglot.recipe import parse_teacher
        from isoglot.scale.plan import parse_part

        config, part = parse_teacher(teacher, changes or []), parse_part(shard)
        made = embed_corpus(corpus, config, store, console, workers, part, known)
        result = {
            "store": str(store),
            "rows": made.rows,
            "dimension": made.dimension,
            "space": dict(made.space),
        }
        console.finish(result, f"{store} holds {made.rows} vectors of {made.dimension} dimensions")
