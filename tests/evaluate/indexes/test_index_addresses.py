"""Addresses of indexes: which kind they mean, and that no secret is taken or shown."""

from __future__ import annotations

import sys

import pytest

from isoglot.compat_config import IndexConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.indexes.address import open_index
from isoglot.evaluate.indexes.postgres_address import connection_options, parse_postgres

SECRET = "canary-4711"
PLAIN = IndexConfig()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nothing.bin", "is no index that isoglot reads"),
        ("mysql://host/db", "is no index that isoglot reads"),
        ("lancedb:", "needs a place and a name"),
        ("lancedb:folder", "needs a place and a name"),
        ("qdrant:#c", "needs a place and a name"),
        ("lancedb:missing-folder#t", "There is no folder missing-folder"),
        ("qdrant:missing-folder#t", "is not a folder of Qdrant"),
        ("qdrant:ftp://host#t", "is not http or https"),
        ("postgresql://me@host/db", "names no table"),
        ("postgresql://me@host/db?table=", "names no table"),
        ("postgresql://me@host/db?table=t&options=-cx", "does not pass options on"),
        ("postgresql://me@host/db?table=t&passfile=x&service=y", "does not pass passfile, service on"),
        ("postgresql://me@host:port/db?table=t", "is not valid"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(address, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match=message), open_index(address, PLAIN):
        pass
    assert list(tmp_path.iterdir()) == []  # asking makes no folder


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://me:{SECRET}@host/db?table=t",
        f"postgres://me@host/db?table=t&password={SECRET}",
        f"postgresql://me:{SECRET}@host:port/db?table=t",
        f"qdrant:http://me:{SECRET}@host:6333#t",
        f"qdrant:ftp://me:{SECRET}@host#t",
        f"mysql://me:{SECRET}@host/db",
        f"mysql://me:{SECRET}/4711@host/db",
        f"qdrant:http://host:6333?api-key={SECRET}#t",
    ],
)
def test_a_password_in_an_address_is_refused_and_never_shown(address):
    with pytest.raises(RequestError) as caught, open_index(address, PLAIN):
        pass
    assert SECRET not in str(caught.value)


def test_a_postgres_address_is_read_part_by_part():
    address = parse_postgres(
        "postgresql://m%40e@db.example:5433/my%20db?table=a%22b&schema=s&sslmode=require"
    )
    assert (address.user, address.host, address.port) == ("m@e", "db.example", 5433)
    assert (address.database, address.table, address.schema) == ("my db", 'a"b', "s")
    assert str(address) == 'postgresql://m@e@db.example:5433/my db?table=a"b&schema=s'
    options = connection_options(address, None)
    assert options["sslmode"] == "require"
    assert "password" not in options  # libpq looks into ~/.pgpass itself
    assert "read_only=on" in options["options"]


def test_the_folder_of_a_socket_is_a_host():
    assert parse_postgres("postgresql:///db?host=/run/pg&table=t").host == "/run/pg"


def test_the_password_comes_from_the_named_variable(monkeypatch):
    address = parse_postgres("postgresql://me@host/db?table=t")
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    assert connection_options(address, "DB_PASSWORD")["password"] == SECRET
    monkeypatch.delenv("DB_PASSWORD")
    with pytest.raises(RequestError, match="DB_PASSWORD is not set"):
        connection_options(address, "DB_PASSWORD")


def test_the_variable_is_a_name_and_no_key():
    with pytest.raises(ValueError, match="key_env") as caught:
        IndexConfig(key_env=f"sk-{SECRET}")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "module", "extra"),
    [
        ("lancedb:here#t", "lancedb", "lancedb"),
        ("qdrant:here#t", "qdrant_client", "qdrant"),
        ("postgresql://me@host/db?table=t", "psycopg", "pgvector"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(address, module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RequestError, match=rf"pip install 'isoglot\[{extra}\]'"), open_index(address, PLAIN):
        pass


def test_a_postgres_server_that_is_not_there_is_an_error_without_the_password(monkeypatch, tmp_path):
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    address = f"postgresql://me@/db?host={tmp_path}&table=t"
    config = IndexConfig(key_env="DB_PASSWORD")
    with pytest.raises(IsoglotError, match="cannot be reached") as caught, open_index(address, config):
        pass
    assert caught.value.exit_code == 1
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("classes", "metric"),
    [
        (["text_ops", "vector_l2_ops", "vector_ip_ops"], "l2"),
        (["halfvec_cosine_ops"], "cosine"),  # pgvector 0.7, which the tests' server does not have
        (["vector_l1_ops", "bit_hamming_ops"], None),
        ([], None),
    ],
)
def test_the_first_index_of_pgvector_says_the_metric(classes, metric):
    from isoglot.evaluate.indexes.postgres_table import metric_of

    assert metric_of(classes) == metric
