"""Parquet: columns as the fields of `records`, read one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isoglot.corpus.formats.names import Languages, languages_in_name
from isoglot.corpus.formats.records import record_fields, record_pairs
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError

_BATCH_ROWS = 8_192


def read_parquet(
    path: Path, corpus: str, border: Border, languages: Languages | None = None
) -> Iterator[Pair]:
    """Yield the pairs of a Parquet file; columns that no pair needs, such as vectors, are not read.

    Raises:
        RequestError: its columns name no sentence pair, or the languages are unknown.
        DamagedError: the file cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    languages, row = languages or languages_in_name(path), 0
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            columns = record_fields(file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                for record in batch.to_pylist():
                    row += 1
                    yield from record_pairs(record, f"{path}, row {row}", corpus, border, languages)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DamagedError(f"{path} cannot be read as Parquet after row {row} ({error}).") from error
