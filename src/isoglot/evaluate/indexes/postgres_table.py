"""A PostgreSQL table with pgvector as an index, opened read only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.compat_config import IndexConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.indexes.index import Documents, IndexFacts, chosen_metric, documents, refuse_empty
from isoglot.evaluate.indexes.metric import Metric
from isoglot.evaluate.indexes.postgres_address import PostgresAddress, connection_options

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable, Composed

_OPERATORS = {"cosine": "<=>", "dot": "<#>", "l2": "<->"}
_CLASSES: dict[str, Metric] = {"cosine_ops": "cosine", "ip_ops": "dot", "l2_ops": "l2"}
_TYPES = ("vector", "halfvec")
_COLUMNS = """
    select attribute.attname, type.typname, attribute.atttypmod,
           exists (select from pg_index where indrelid = attrelid and indisprimary and indnatts = 1
                   and indkey[0] = attnum)
    from pg_attribute attribute join pg_type type on type.oid = attribute.atttypid
    where attribute.attrelid = to_regclass($1) and attribute.attnum > 0 and not attribute.attisdropped
    order by attribute.attnum
"""
_INDEXES = """
    select class.opcname
    from pg_index join pg_opclass class on class.oid = indclass[0]
         join pg_attribute attribute on attribute.attrelid = indrelid and attribute.attnum = indkey[0]
    where indrelid = to_regclass($1) and attribute.attname = $2
    order by pg_index.indexrelid
"""


class PostgresTable:
    """An open table.

    Args:
        facts: what it is.
        connection: read only.
        table: its quoted name.
        columns: of ids, texts and vectors.
    """

    def __init__(
        self,
        facts: IndexFacts,
        connection: psycopg.Connection[Any],
        table: Composed,
        columns: tuple[str, ...],
    ) -> None:
        from psycopg.sql import SQL, Identifier

        self.facts = facts
        self._connection = connection
        ids, texts, vectors = map(Identifier, columns)
        rows = SQL(
            "select {ids} as id, {texts} as text, {vectors} as vector from {table} where {vectors} is not null"
        )
        self._rows = rows.format(ids=ids, texts=texts, vectors=vectors, table=table)
        self._vectors = vectors

    def sample(self, count: int) -> Documents:
        """Give random documents."""
        from psycopg.sql import SQL

        return self._ask(SQL("order by random() limit $1"), SQL(""), (count,))

    def search(self, queries: NDArray[np.float32], k: int) -> list[Documents]:
        """Find neighbours as PostgreSQL does: by an index of pgvector where its planner takes one."""
        from psycopg.sql import SQL, Identifier

        shape = SQL("order by {vectors} " + _OPERATORS[self.facts.metric] + " $1")
        nearest = shape.format(vectors=self._vectors) + SQL(" limit $2")
        again = shape.format(vectors=Identifier("vector"))
        return [self._ask(nearest, again, (json.dumps(query.tolist()), k)) for query in queries]

    def _ask(self, inner: Composable, outer: Composable, parameters: tuple[object, ...]) -> Documents:
        """Choose rows, then write them as text: in one step every vector of the table would be written."""
        from psycopg.sql import SQL

        shape = SQL("select id::text, text::text, vector::text from ({rows} {inner}) found {outer}")
        statement = shape.format(rows=self._rows, inner=inner, outer=outer)
        rows = _run(self._connection, statement, parameters, self.facts.name)
        vectors = [json.loads(vector) for _, _, vector in rows]
        return documents(
            [name for name, _, _ in rows], [text for _, text, _ in rows], vectors, self.facts.name
        )


@contextmanager
def open_postgres(address: PostgresAddress, config: IndexConfig) -> Iterator[PostgresTable]:
    """Open a table; nothing can be written through the connection.

    Raises:
        RequestError: psycopg is not installed, there is no such table or column, or the table is empty.
        IsoglotError: the server cannot be reached, or refuses.
    """
    label = str(address)
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise RequestError(f"{label} needs psycopg.", "Run: pip install 'isoglot[pgvector]'") from error
    try:
        connection = psycopg.connect(
            **connection_options(address, config.key_env),
            autocommit=True,
            cursor_factory=psycopg.RawCursor,  # parameters are $1: a name may hold %
        )
    except psycopg.OperationalError as error:
        raise IsoglotError(
            f"{label} cannot be reached ({_first_line(error)}).",
            "Is the server running? The password comes from ~/.pgpass, or from a variable named with --key-env.",
        ) from error
    with connection:
        yield _opened(connection, address, config)


def _opened(
    connection: psycopg.Connection[Any], address: PostgresAddress, config: IndexConfig
) -> PostgresTable:
    from psycopg.sql import SQL, Identifier

    label = str(address)
    table = SQL(".").join(Identifier(part) for part in (address.schema, address.table) if part)
    name = table.as_string(connection)
    found = _run(connection, _COLUMNS, (name,), label)
    columns = _columns(found, config, label)
    shape = SQL("select count(*), min(vector_dims({column})) from {table} where {column} is not null")
    counted = shape.format(column=Identifier(columns[2]), table=table)
    rows, dimension = _run(connection, counted, (), label)[0]
    refuse_empty(label, rows)
    classes = [row[0] for row in _run(connection, _INDEXES, (name, columns[2]), label)]
    metric = chosen_metric(config.metric, metric_of(classes), "cosine", label)
    facts = IndexFacts(label, "PostgreSQL table", rows, dimension, metric)
    return PostgresTable(facts, connection, table, columns)


def _columns(found: list[Any], config: IndexConfig, label: str) -> tuple[str, str, str]:
    if not found:
        raise RequestError(f"There is no table {label}.", "Name it with ?table=NAME, and &schema=NAME.")
    names = [row[0] for row in found]
    listed = [row[0] for row in found if row[1] in _TYPES]
    keys = [row[0] for row in found if row[3]] or [name for name in names if name == "id"]
    vectors = config.vector_column or (listed[0] if len(listed) == 1 else "vector")
    if vectors not in listed:
        raise RequestError(
            f"{label} has no column of vectors {vectors!r}, but {', '.join(listed) or 'none'}.",
            "Name it with --vector-column.",
        )
    ids = config.id_column or (keys[0] if keys else "")
    for option, column in (("--text-column", config.text_column), ("--id-column", ids)):
        if column not in names:
            raise RequestError(
                f"{label} has no column {column!r}, but {', '.join(names)}.", f"Name one with {option}."
            )
    return ids, config.text_column, vectors


def metric_of(classes: list[str]) -> Metric | None:
    """Read what the first index of pgvector on the column ranks by; None where there is none."""
    for name in classes:
        kind, _, rest = name.partition("_")
        if kind in _TYPES and rest in _CLASSES:
            return _CLASSES[rest]
    return None


def _run(
    connection: psycopg.Connection[Any], statement: str | Composed, parameters: tuple[object, ...], label: str
) -> list[Any]:
    import psycopg

    try:
        return connection.execute(statement, parameters).fetchall()
    except psycopg.Error as error:
        raise IsoglotError(f"{label} cannot be asked ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
