"""A LanceDB table as an index."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.compat_config import IndexConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.indexes.index import (
    Documents,
    IndexFacts,
    chosen_metric,
    documents,
    refuse_empty,
    spread,
)
from isoglot.evaluate.indexes.metric import Metric

if TYPE_CHECKING:
    import pyarrow as pa

_METRICS: dict[str, Metric] = {"cosine": "cosine", "dot": "dot", "l2": "l2"}


class LanceTable:
    """An open LanceDB table.

    Args:
        facts: what it is.
        table: of lancedb.
        columns: of ids ("" for row numbers, which LanceDB gives on request), texts and vectors.
    """

    def __init__(self, facts: IndexFacts, table: Any, columns: tuple[str, str, str]) -> None:  # noqa: ANN401
        self.facts = facts
        self._table, self._columns = table, columns

    def sample(self, count: int) -> Documents:
        """Give documents at even distances."""
        offsets = spread(self.facts.documents, count).tolist()
        taken = self._table.take_offsets(offsets).select(self._wanted())
        return self._documents((taken if self._columns[0] else taken.with_row_id()).to_arrow())

    def search(self, queries: NDArray[np.float32], k: int) -> list[Documents]:
        """Find neighbours as LanceDB does: by its index where the table has one."""
        asked = self._table.search(queries.tolist(), vector_column_name=self._columns[2])
        chosen = asked.select([*self._wanted(), "_distance"]).with_row_id(not self._columns[0])
        try:
            found = chosen.distance_type(self.facts.metric).limit(k).to_arrow()
        except (ValueError, RuntimeError) as error:
            raise IsoglotError(f"{self.facts.name} cannot be searched ({error}).") from error
        return [self._documents(found.take(rows)) for rows in _rows_of_queries(found, len(queries))]

    def _wanted(self) -> list[str]:
        return [column for column in self._columns if column]

    def _documents(self, rows: pa.Table) -> Documents:
        ids, texts, vectors = self._columns
        rows = rows.filter(rows[vectors].is_valid())
        table = np.stack(rows[vectors].to_numpy()) if rows.num_rows else np.zeros((0, 0))
        return documents(rows[ids or "_rowid"].to_pylist(), rows[texts].to_pylist(), table, self.facts.name)


def open_table(folder: Path, name: str, config: IndexConfig) -> LanceTable:
    """Open a table of a LanceDB folder.

    Raises:
        RequestError: LanceDB is not installed, there is no such table or column, or the table is empty.
    """
    label = f"lancedb:{folder}#{name}"
    table = _connect(folder, name, label)
    columns = _columns(table.schema, config, label)
    rows = table.count_rows()
    refuse_empty(label, rows)
    metric = chosen_metric(config.metric, _index_metric(table, columns[2], label), "l2", label)
    dimension = table.schema.field(columns[2]).type.list_size
    return LanceTable(IndexFacts(label, "LanceDB table", rows, dimension, metric), table, columns)


def _connect(folder: Path, name: str, label: str) -> Any:  # noqa: ANN401  lancedb's own
    try:
        import lancedb
    except ModuleNotFoundError as error:
        raise RequestError(f"{label} needs LanceDB.", "Run: pip install 'isoglot[lancedb]'") from error
    if not folder.is_dir():  # connecting would make it
        raise RequestError(f"There is no folder {folder}.", "Write lancedb:FOLDER#TABLE.")
    try:
        return lancedb.connect(folder).open_table(name)
    except (ValueError, FileNotFoundError) as error:
        raise RequestError(f"{label} cannot be opened ({error}).", "Write lancedb:FOLDER#TABLE.") from error


def _columns(schema: pa.Schema, config: IndexConfig, label: str) -> tuple[str, str, str]:
    import pyarrow as pa

    names = set(schema.names)
    listed = [field.name for field in schema if pa.types.is_fixed_size_list(field.type)]
    vectors = config.vector_column or ("vector" if "vector" in listed or len(listed) != 1 else listed[0])
    if vectors not in listed:
        raise RequestError(
            f"{label} has no column of vectors {vectors!r}, but {', '.join(listed) or 'none'}.",
            "Name it with --vector-column.",
        )
    if config.text_column not in names:
        raise RequestError(
            f"{label} has no column {config.text_column!r}, but {', '.join(schema.names)}.",
            "Name the one with the texts with --text-column.",
        )
    if config.id_column is not None and config.id_column not in names:
        raise RequestError(f"{label} has no column {config.id_column!r}.", "Mend --id-column.")
    return config.id_column or ("id" if "id" in names else ""), config.text_column, vectors


def _index_metric(table: Any, column: str, label: str) -> Metric | None:  # noqa: ANN401  lancedb's own
    """Read what the index on the column ranks by; None where there is no index."""
    for index in table.list_indices():
        if column in index.columns:
            stated = table.index_stats(index.name).distance_type
            if stated not in _METRICS:
                raise RequestError(f"{label} ranks by {stated}.", "isoglot compares cosine, dot and l2.")
            return _METRICS[stated]
    return None


def _rows_of_queries(found: pa.Table, queries: int) -> list[list[int]]:
    """Row numbers of each query's hits, nearest first; LanceDB numbers the queries when there are several."""
    distances = found["_distance"].to_pylist()
    numbers = (
        found["query_index"].to_pylist() if "query_index" in found.column_names else [0] * len(distances)
    )
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for row, number in enumerate(numbers):
        rows[number].append(row)
    return [sorted(rows[number], key=lambda row: distances[row]) for number in range(queries)]
