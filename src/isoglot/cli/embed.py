"""`isoglot embed`: teacher vectors of a corpus, each distinct sentence once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, handled


def embed(
    corpus: Annotated[Path, typer.Argument(help="A corpus folder.")],
    teacher: Annotated[str, typer.Option("--teacher", help="Folder, hub id or package:NAME.")],
    store: Annotated[Path, typer.Option("--store", help="The store; made when missing, continued when not.")],
    as_json: JsonOption = False,
) -> None:
    """Embed every distinct source sentence of a corpus once."""
    with handled(as_json) as console:
        from isoglot.config import TeacherConfig
        from isoglot.pipeline.alone import embed_corpus

        made = embed_corpus(corpus, TeacherConfig(model=teacher), store, console)
        result = {
            "store": str(store),
            "rows": made.rows,
            "dimension": made.dimension,
            "space": dict(made.space),
        }
        console.finish(result, f"{store} holds {made.rows} vectors of {made.dimension} dimensions")
