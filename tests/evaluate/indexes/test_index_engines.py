"""LanceDB, Qdrant and PostgreSQL for real, beside exact neighbours."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import quote

import numpy as np
import pytest

from evaluate.indexes.index_sample import QUERIES, ROWS, TEXTS, WIDTH, check, table
from evaluate.indexes.postgres_server import USER, server
from isoglot.compat_config import IndexConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.indexes.address import open_index

pytestmark = pytest.mark.slow  # imports of these clients take seconds, and a database is started

METRICS = ["cosine", "dot", "l2"]
HOSTILE = 'docs"; drop table docs; --'
SECRET = "canary-4711"


def opened(address, **options):
    return open_index(str(address), IndexConfig(**options))


# LanceDB


def write_lance(folder, name="docs", text="text", vector="vector", ids=True):
    import lancedb
    import pyarrow as pa

    vectors = pa.FixedSizeListArray.from_arrays(pa.array(table().ravel()), WIDTH)
    columns = {text: TEXTS, vector: vectors, **({"id": [f"n{row}" for row in range(ROWS)]} if ids else {})}
    return lancedb.connect(folder).create_table(name, pa.table(columns))


@pytest.mark.parametrize("metric", METRICS)
def test_a_lancedb_table_is_searched_by_the_metric_of_its_index(tmp_path, metric):
    from lancedb.index import IvfFlat

    made = write_lance(tmp_path / "db")
    made.create_index("vector", config=IvfFlat(distance_type=metric, num_partitions=1))
    with opened(f"lancedb:{tmp_path / 'db'}#docs") as index:
        check(index, metric, ids=lambda row: f"n{row}")
    other = METRICS[METRICS.index(metric) - 1]
    with pytest.raises(RequestError, match=f"ranks by {metric}, not by {other}"):
        opened(f"lancedb:{tmp_path / 'db'}#docs", metric=other)


def test_a_lancedb_table_without_an_index_is_searched_by_l2_or_what_the_user_says(tmp_path):
    write_lance(tmp_path / "db", ids=False)
    with opened(tmp_path / "db" / "docs.lance") as index:
        check(index, "l2")
    with opened(tmp_path / "db" / "docs.lance", metric="dot") as index:
        check(index, "dot")
        assert index.facts.kind == "LanceDB table"


def test_columns_of_a_lancedb_table_may_have_any_name(tmp_path):
    write_lance(tmp_path / "db", text='te"xt', vector="select")
    with opened(f"lancedb:{tmp_path / 'db'}#docs", text_column='te"xt') as index:
        check(index, "l2", ids=lambda row: f"n{row}")
    with pytest.raises(RequestError, match=r"has no column 'text', but te\"xt"):
        opened(f"lancedb:{tmp_path / 'db'}#docs")
    with pytest.raises(RequestError, match="no column of vectors 'id', but select"):
        opened(f"lancedb:{tmp_path / 'db'}#docs", text_column='te"xt', vector_column="id")
    with pytest.raises(RequestError, match="Mend --id-column"):
        opened(f"lancedb:{tmp_path / 'db'}#docs", text_column='te"xt', id_column="key")


@pytest.mark.parametrize("name", ["none", HOSTILE, "../docs"])
def test_a_lancedb_table_that_is_not_there_is_refused(tmp_path, name):
    write_lance(tmp_path / "db")
    with pytest.raises(RequestError, match="cannot be opened"):
        opened(f"lancedb:{tmp_path / 'db'}#{name}")


def test_deleted_rows_and_rows_without_a_vector_are_no_documents(tmp_path):
    made = write_lance(tmp_path / "db")
    made.delete("id < 'n2'")
    made.add([{"id": "bare", "text": "no vector", "vector": None}])
    with opened(f"lancedb:{tmp_path / 'db'}#docs") as index:
        sample = index.sample(400)
        assert min(sample.ids) >= "n2"
        assert len(sample.ids) == index.facts.documents - 1
        for hits in index.search(QUERIES, 20):
            assert min(hits.ids) >= "n2"


def test_an_empty_lancedb_table_is_refused(tmp_path):
    write_lance(tmp_path / "db").delete("true")
    with pytest.raises(RequestError, match="holds no documents"):
        opened(f"lancedb:{tmp_path / 'db'}#docs")


# Qdrant


def fill_qdrant(client, metric="cosine", name="docs", vector="", rows=ROWS):
    from qdrant_client import models

    kind = {"cosine": "Cosine", "dot": "Dot", "l2": "Euclid", "manhattan": "Manhattan"}[metric]
    shape = models.VectorParams(size=WIDTH, distance=models.Distance(kind))
    client.create_collection(name, vectors_config={vector: shape, "other": shape} if vector else shape)
    points = [
        models.PointStruct(
            id=row, vector={vector: one.tolist()} if vector else one.tolist(),
            payload={"text": TEXTS[row], "name": f"n{row}"},
        )
        for row, one in enumerate(table()[:rows])
    ]  # fmt: skip
    if points:
        client.upload_points(name, points, wait=True)


@contextlib.contextmanager
def qdrant_folder(folder, **options):
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(folder))
    try:
        fill_qdrant(client, **options)
    finally:
        client.close()
    yield f"qdrant:{folder}#{options.get('name', 'docs')}"


@pytest.mark.parametrize("metric", METRICS)
def test_a_qdrant_collection_is_searched_by_its_own_metric(tmp_path, metric):
    own = table() / np.linalg.norm(table(), axis=1, keepdims=True) if metric == "cosine" else None
    with qdrant_folder(tmp_path / "q", metric=metric) as address:
        with opened(address) as index:
            check(index, metric, own=own)  # Qdrant keeps vectors for cosine at unit length
        with opened(address, id_column="name") as index:
            check(index, metric, ids=lambda row: f"n{row}", own=own)


def test_points_without_the_vector_or_with_several_are_told(tmp_path):
    from qdrant_client import QdrantClient, models

    from isoglot.evaluate.indexes.qdrant_collection import of_client

    client = QdrantClient(":memory:")
    fill_qdrant(client, "dot", vector="mini", rows=50)
    client.upsert(
        "docs", [models.PointStruct(id=9999, vector={"other": [1.0] * WIDTH}, payload={"text": "bare"})]
    )
    index = of_client(client, "docs", IndexConfig(vector_column="mini"), "memory")
    assert len(index.sample(60).ids) == 50
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    shape = models.VectorParams(size=WIDTH, distance=models.Distance.DOT, multivector_config=several)
    client.create_collection("late", vectors_config=shape)
    client.upsert("late", [models.PointStruct(id=1, vector=[[1.0] * WIDTH] * 3, payload={"text": "late"})])
    with pytest.raises(IsoglotError, match="several vectors per document"):
        of_client(client, "late", IndexConfig(), "memory").sample(5)
    client.close()


def test_a_collection_in_memory_is_asked_through_its_client():
    from qdrant_client import QdrantClient

    from isoglot.evaluate.indexes.qdrant_collection import of_client

    client = QdrantClient(":memory:")
    fill_qdrant(client, "dot", vector="mini")
    with pytest.raises(RequestError, match="has the vectors mini, other"):
        of_client(client, "docs", IndexConfig(), "memory")
    check(of_client(client, "docs", IndexConfig(vector_column="mini"), "memory"), "dot")
    fill_qdrant(client, "manhattan", name="streets")
    with pytest.raises(RequestError, match="ranks by Manhattan"):
        of_client(client, "streets", IndexConfig(), "memory")
    fill_qdrant(client, "dot", name="empty", rows=0)
    with pytest.raises(RequestError, match="holds no documents"):
        of_client(client, "empty", IndexConfig(), "memory")
    client.close()


# the client that is refused leaves the lock file open until it is collected
@pytest.mark.filterwarnings("ignore:.*/q/.lock:pytest.PytestUnraisableExceptionWarning")
def test_a_collection_that_is_not_there_is_refused(tmp_path):
    with qdrant_folder(tmp_path / "q") as address:
        with pytest.raises(RequestError, match="There is no collection"), opened(address + HOSTILE):
            pass
        with opened(address), pytest.raises(IsoglotError, match="Another process has"), opened(address):
            pass


class Refusing(BaseHTTPRequestHandler):
    """A server that answers with a redirect or a refusal, and notes what it is sent."""

    seen: ClassVar[list[tuple[str, str | None]]] = []
    status = 401

    def do_GET(self):
        self.seen.append((self.path, self.headers.get("api-key")))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing():
    Refusing.seen, Refusing.status = [], 401
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield http.server_address[1]
        http.shutdown()
        thread.join()


def test_a_qdrant_server_gets_the_key_of_the_named_variable_and_nobody_sees_it(refusing, monkeypatch):
    monkeypatch.setenv("QDRANT_KEY", SECRET)
    with (
        pytest.raises(IsoglotError, match=r"answered 401.*--key-env") as caught,
        opened(f"qdrant:http://127.0.0.1:{refusing}#docs", key_env="QDRANT_KEY"),
    ):
        pass
    assert [key for _, key in Refusing.seen] == [SECRET] * len(Refusing.seen)
    assert Refusing.seen
    assert SECRET not in str(caught.value)


def test_a_redirect_of_a_qdrant_server_is_not_followed(refusing):
    Refusing.status = 307
    with (
        pytest.raises(IsoglotError, match="answered 307"),
        opened(f"qdrant:http://127.0.0.1:{refusing}#docs"),
    ):
        pass


def test_a_qdrant_server_that_is_not_there_is_an_error():
    with pytest.raises(IsoglotError, match="does not answer"), opened("qdrant:http://127.0.0.1:1#docs"):
        pass


def test_a_key_is_not_sent_in_the_clear(monkeypatch):
    monkeypatch.setenv("QDRANT_KEY", SECRET)
    with (
        pytest.raises(RequestError, match="would get the key unencrypted"),
        opened("qdrant:http://db.example:6333#docs", key_env="QDRANT_KEY"),
    ):
        pass
    monkeypatch.delenv("QDRANT_KEY")
    with (
        pytest.raises(RequestError, match="QDRANT_KEY is not set"),
        opened("qdrant:https://db.example:6333#docs", key_env="QDRANT_KEY"),
    ):
        pass


# PostgreSQL


@pytest.fixture(scope="module")
def postgres():
    with server() as socket:
        yield socket


def connect(socket, **options):
    import psycopg

    # the raw cursor takes % in a name for what it is
    return psycopg.connect(
        host=str(socket),
        user=USER,
        dbname="postgres",
        autocommit=True,
        cursor_factory=psycopg.RawCursor,
        **options,
    )


def write_table(socket, name="docs", schema="public", rows=ROWS, kind="vector", index=None):
    from psycopg.sql import SQL, Identifier, Literal

    full = SQL(".").join([Identifier(schema), Identifier(name)])
    with connect(socket) as connection:
        connection.execute("create extension if not exists vector")
        connection.execute(SQL("create schema if not exists {}").format(Identifier(schema)))
        connection.execute(SQL("drop table if exists {}").format(full))
        connection.execute(
            SQL("create table {} (number int primary key, text text, name text, embedding {}({}))").format(
                full, SQL(kind), Literal(WIDTH)
            )
        )
        insert = SQL("insert into {} values ($1, $2, $3, $4)").format(full)
        values = [
            (row, TEXTS[row], f"n{row}", json.dumps(one.tolist())) for row, one in enumerate(table()[:rows])
        ]
        if values:
            connection.cursor().executemany(insert, values)
        if index:
            connection.execute(SQL("create index on {} using hnsw (embedding {})").format(full, SQL(index)))
    return f"postgresql://{USER}@/postgres?host={socket}&table={name}&schema={schema}"


@pytest.mark.parametrize(
    ("index", "metric"), [("vector_cosine_ops", "cosine"), ("vector_ip_ops", "dot"), ("vector_l2_ops", "l2")]
)
def test_a_postgres_table_is_searched_by_the_metric_of_its_index(postgres, index, metric):
    address = write_table(postgres, index=index)
    with opened(address) as found:
        check(found, metric, exact=False)
        assert found.facts.kind == "PostgreSQL table"
    with (
        pytest.raises(RequestError, match=f"ranks by {metric}"),
        opened(address, metric=METRICS[METRICS.index(metric) - 1]),
    ):
        pass


@pytest.mark.parametrize("metric", [None, *METRICS])
def test_a_postgres_table_without_an_index_is_searched_as_the_user_says(postgres, metric):
    with opened(write_table(postgres), metric=metric, id_column="name") as index:
        check(index, metric or "cosine", ids=lambda row: f"n{row}")


@pytest.mark.parametrize("name", ['docs"; drop table docs; --', "select", "a.b", "Ünï 'cøde'", "%s", "{}"])
def test_names_are_quoted_and_never_run(postgres, name):
    write_table(postgres)
    write_table(postgres, name=name, schema=f"s {name}")
    place = f"postgresql://{USER}@/postgres?host={postgres}"
    with opened(f"{place}&table={quote(name)}&schema={quote(f's {name}')}") as index:
        check(index, "cosine")
    with opened(f"{place}&table=docs") as index:
        assert index.facts.documents == ROWS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": "none"}, "There is no table"),
        ({"table": HOSTILE}, "There is no table"),
        ({"text_column": HOSTILE}, "has no column .*drop"),
        ({"id_column": HOSTILE}, "has no column .*drop"),
        ({"vector_column": "text"}, "no column of vectors 'text', but embedding"),
    ],
)
def test_a_wrong_name_is_refused(postgres, change, message):
    write_table(postgres)
    name = quote(change.pop("table", "docs"))
    with (
        pytest.raises(RequestError, match=message),
        opened(f"postgresql://{USER}@/postgres?host={postgres}&table={name}", **change),
    ):
        pass


def test_an_empty_postgres_table_is_refused(postgres):
    with pytest.raises(RequestError, match="holds no documents"), opened(write_table(postgres, rows=0)):
        pass


def test_nothing_can_be_written_through_the_connection(postgres):
    import psycopg

    with opened(write_table(postgres)) as index:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            index._connection.execute("delete from docs")
        assert index.facts.documents == ROWS


CHECK = """
import os, sys
from isoglot.compat_config import IndexConfig
from isoglot.evaluate.indexes.address import open_index
with open_index(sys.argv[1], IndexConfig(key_env=sys.argv[2] or None)) as index:
    print(index.facts)
"""


def asked_in_a_process(address, variable="", **environment):
    return subprocess.run(
        [sys.executable, "-c", CHECK, address, variable], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_a_password_is_taken_from_its_variable_or_pgpass_and_shown_nowhere(tmp_path):
    with server(password=SECRET) as socket:
        with connect(socket, password=SECRET) as connection:
            connection.execute("create extension vector")
            connection.execute("create table docs as select 1 id, 'a' text, '[1,2]'::vector(2) vector")
        address = f"postgresql://{USER}@/postgres?host={socket}&table=docs"
        named = asked_in_a_process(address, "DB_PASSWORD", DB_PASSWORD=SECRET)
        passwords = tmp_path / ".pgpass"
        passwords.write_text(f"*:*:*:{USER}:{SECRET}\n")
        passwords.chmod(0o600)
        filed = asked_in_a_process(address, PGPASSFILE=str(passwords))
        wrong = asked_in_a_process(address, "DB_PASSWORD", DB_PASSWORD=f"{SECRET}x")
        without = asked_in_a_process(address, PGPASSFILE=str(tmp_path / "none"))
    assert (named.returncode, filed.returncode) == (0, 0), named.stderr + filed.stderr
    assert "documents=1, dimension=2" in named.stdout
    assert "cannot be reached" in wrong.stderr
    assert "~/.pgpass" in without.stderr
    shown = "".join(one.stdout + one.stderr for one in (named, filed, wrong, without))
    assert SECRET not in shown
