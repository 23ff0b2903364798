"""`isoglot store`: teacher stores for other programs, and parts of stores put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from isoglot.cli.console import JsonOption, count, handled

app = typer.Typer(help="Export and merge stores of teacher vectors.", no_args_is_help=True)


@app.command("export")
def export(
    store: Annotated[Path, typer.Argument(help="A teacher store.")],
    to: Annotated[Literal["npy", "parquet"], typer.Option("--to", help="Kind of file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; STORE-npy by default.")] = None,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="Write the source sentences of this corpus, in its order, with texts."),
    ] = None,
    missing: Annotated[
        Literal["error", "drop"],
        typer.Option("--missing", help="What to do about sentences of --corpus that the store lacks."),
    ] = "error",
    as_json: JsonOption = False,
) -> None:
    """Write vectors as one NumPy or Parquet file, in float32, beside their keys and texts."""
    with handled(as_json) as console:
        from isoglot.corpus.store import Corpus
        from isoglot.teacher.store import Store
        from isoglot.teacher.store_export import export as export_vectors

        named = store if store.name else store.resolve()  # `.` has no name
        target = out or named.with_name(f"{named.name}-{to}")
        texts = None if corpus is None else Corpus.open(corpus).sources()
        rows = export_vectors(Store.open(store, prove=True), target, to, texts, console, missing=missing)
        dropped = 0 if texts is None else len(texts) - rows
        result = {"out": str(target), "rows": rows, "texts": texts is not None, "dropped": dropped}
        left_out = f"; {count(dropped)} sentences of {corpus} have none in {store}" if dropped else ""
        console.finish(result, f"{target / f'vectors.{to}'} holds {count(rows)} vectors{left_out}")


@app.command("merge")
def merge(
    parts: Annotated[list[Path], typer.Argument(help="Stores of `isoglot embed --shard 1/8` to `8/8`.")],
    store: Annotated[Path, typer.Option("--store", help="The store to fill; made when missing.")],
    as_json: JsonOption = False,
) -> None:
    """Put stores of one space together, such as the parts that several machines embedded."""
    with handled(as_json) as console:
        from isoglot.teacher.store_merge import merge as merge_stores

        made = merge_stores(parts, store, console)
        result = {"store": str(store), "rows": made.rows, "dimension": made.dimension}
        console.finish(result, f"{store} holds {count(made.rows)} vectors of {made.dimension} dimensions")
