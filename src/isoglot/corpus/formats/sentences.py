"""Sentences of one language: lines of text, or one column of a table, of JSON Lines or of Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from isoglot.corpus.formats.kinds import kind_of
from isoglot.corpus.formats.lines import read_lines
from isoglot.errors import DamagedError, RequestError

_TEXT = "text"
_BATCH_ROWS = 16_384


def read_sentences(path: Path, column: str = "") -> Iterator[str]:
    """Yield the sentences of a file in its order, empty ones too; text may be packed (.gz, .bz2, .xz, .zst).

    Args:
        path: .jsonl, .parquet, .tsv, or lines of text.
        column: key of JSON Lines or column of Parquet ("text" when empty); of a .tsv the head of a column, or its
            number from 1 where there is no header. Empty for lines of text, whatever the file is called.

    Raises:
        RequestError: there is no such file or column.
        DamagedError: a line is not JSON, a row has too few cells, or packed data are broken.
    """
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", "Give a file with one sentence per line.")
    match kind_of(path):
        case "jsonl" | "ndjson":
            return _json_lines(path, column or _TEXT)
        case "parquet":
            return _parquet(path, column or _TEXT)
        case _ if column:
            return _cells(path, column)
        case _:
            return read_lines(path)


def _json_lines(path: Path, key: str) -> Iterator[str]:
    for number, line in enumerate(read_lines(path), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DamagedError(
                f"{path}, line {number} is not JSON ({error}).", "Mend or remove that line."
            ) from error
        text = record.get(key) if isinstance(record, dict) else None
        if not isinstance(text, str):
            raise RequestError(f"{path}, line {number} has no text under {key!r}.", "Mend --column.")
        yield text


def _parquet(path: Path, column: str) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            fields = {field.name: field.type for field in file.schema_arrow}
            if column not in fields or not (
                pa.types.is_string(fields[column]) or pa.types.is_large_string(fields[column])
            ):
                raise RequestError(
                    f"{path} has no column of texts {column!r}; it has {', '.join(fields)}.", "Mend --column."
                )
            for batch in file.iter_batches(_BATCH_ROWS, columns=[column]):
                yield from (text or "" for text in batch.column(0).to_pylist())
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(f"{path} cannot be read as Parquet ({error}).", "Write it again.") from error


def _cells(path: Path, column: str) -> Iterator[str]:
    rows = (line.split("\t") for line in read_lines(path))
    if column.isdecimal():
        place, first = int(column) - 1, 1
    else:
        heads = next(rows, [])
        if column not in heads:
            raise RequestError(
                f"{path} has no column {column!r}; its first line is {', '.join(heads)[:200]!r}.",
                "Give the head of a column, or its number from 1 where there is no header.",
            )
        place, first = heads.index(column), 2
    for number, cells in enumerate(rows, start=first):
        if not 0 <= place < len(cells):
            raise DamagedError(
                f"{path}, line {number} has {len(cells)} columns, none is {column}.",
                "Mend --column or that line.",
            )
        yield cells[place]
