import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from isoglot import artefact
from isoglot.cli.main import app
from isoglot.errors import RequestError
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_export import export
from stores import DIMENSION, SPACE, TEXTS, fill, vectors_of

ORDER = TEXTS[::-3]


@pytest.fixture(params=["fp16", "int8"])
def store(request, tmp_path, monkeypatch):
    monkeypatch.setattr("isoglot.teacher.store_export._BLOCK", 16)
    fill(tmp_path / "store", TEXTS, precision=request.param)
    return Store.open(tmp_path / "store")


def test_npy_rows_are_aligned_with_texts_and_keys(store, tmp_path):
    assert export(store, tmp_path / "out", "npy", ORDER) == len(ORDER)
    vectors, keys = np.load(tmp_path / "out" / "vectors.npy"), np.load(tmp_path / "out" / "keys.npy")
    lines = (tmp_path / "out" / "vectors.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ORDER
    assert [bytes(key) for key in keys] == [key_of(text) for text in ORDER]
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, store.vectors(ORDER))
    assert artefact.verify(tmp_path / "out") == []


def test_parquet_rows_are_aligned_with_texts_and_keys(store, tmp_path):
    assert export(store, tmp_path / "out", "parquet", ORDER) == len(ORDER)
    table = pq.read_table(tmp_path / "out" / "vectors.parquet")
    assert table["text"].to_pylist() == ORDER
    assert table["key"].to_pylist() == [key_of(text) for text in ORDER]
    assert np.array_equal(np.array(table["vector"].to_pylist(), np.float32), store.vectors(ORDER))


@pytest.mark.parametrize("to", ["npy", "parquet"])
def test_without_texts_every_key_is_written_once(store, tmp_path, to):
    assert export(store, tmp_path / "out", to) == 95
    if to == "npy":
        keys, vectors = np.load(tmp_path / "out" / "keys.npy"), np.load(tmp_path / "out" / "vectors.npy")
        keys = [bytes(key) for key in keys]
        assert not (tmp_path / "out" / "vectors.jsonl").exists()
    else:
        table = pq.read_table(tmp_path / "out" / "vectors.parquet")
        keys, vectors = table["key"].to_pylist(), np.array(table["vector"].to_pylist())
        assert table["text"].null_count == 95
    assert keys == sorted(key_of(text) for text in TEXTS)
    assert np.abs(vectors - vectors_of(keys)).max() < 5e-3


def test_a_sentence_that_two_passes_embedded_is_written_once(tmp_path):
    fill(tmp_path / "store", TEXTS[:40], stop_after=2)
    fill(tmp_path / "store", TEXTS)
    store = fill(tmp_path / "store", TEXTS[:40])  # goes on with its own plan, made before the others came
    assert store.rows > 95
    assert export(store, tmp_path / "out", "npy") == 95


@pytest.mark.parametrize("to", ["npy", "parquet"])
def test_an_empty_store_is_an_empty_file(tmp_path, to):
    assert export(fill(tmp_path / "store", []), tmp_path / "out", to) == 0
    if to == "npy":
        assert np.load(tmp_path / "out" / "vectors.npy").shape == (0, DIMENSION)
    else:
        assert pq.read_table(tmp_path / "out" / "vectors.parquet").num_rows == 0


def test_nothing_appears_when_it_fails_and_nothing_is_done_twice(tmp_path):
    store = fill(tmp_path / "store", TEXTS)
    with pytest.raises(RequestError, match="lacks 1 of 2"):
        export(store, tmp_path / "out", "npy", [TEXTS[0], "never seen"])
    assert not (tmp_path / "out").exists()
    export(store, tmp_path / "out", "npy", ORDER)
    before = (tmp_path / "out" / "vectors.npy").stat().st_mtime_ns
    export(store, tmp_path / "out", "npy", ORDER)
    assert (tmp_path / "out" / "vectors.npy").stat().st_mtime_ns == before
    export(store, tmp_path / "out", "npy", ORDER[:3])
    assert len(np.load(tmp_path / "out" / "vectors.npy")) == 3
    assert artefact.read_manifest(tmp_path / "out").config["space"] == SPACE


def test_texts_without_a_vector_are_left_out_when_that_is_asked_for(tmp_path):
    store = fill(tmp_path / "store", TEXTS)
    wanted = [TEXTS[3], "never seen", TEXTS[1]]
    assert export(store, tmp_path / "out", "npy", wanted, missing="drop") == 2
    lines = (tmp_path / "out" / "vectors.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == [TEXTS[3], TEXTS[1]]
    assert np.array_equal(np.load(tmp_path / "out" / "vectors.npy"), store.vectors([TEXTS[3], TEXTS[1]]))


def test_the_store_of_the_working_folder_is_exported_beside_it(tmp_path, monkeypatch):
    fill(tmp_path / "store", TEXTS)
    monkeypatch.chdir(tmp_path / "store")
    done = CliRunner().invoke(app, ["store", "export", ".", "--to", "npy"])
    assert done.exit_code == 0, done.stderr
    assert np.load(tmp_path / "store-npy" / "vectors.npy").shape == (95, DIMENSION)
