"""Indexes that are files: a store, .npy, .safetensors, .parquet, .jsonl, FAISS."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

import stores
from evaluate.indexes.index_sample import QUERIES, ROWS, TEXTS, WIDTH, check, table
from isoglot.compat_config import IndexConfig
from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.indexes.address import open_index


def opened(path, **options):
    return open_index(str(path), IndexConfig(**options))


def write_lines(path, texts):
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return path


def as_npy(folder):
    np.save(folder / "i.npy", table())
    write_lines(folder / "i.txt", TEXTS)
    return folder / "i.npy"


def as_safetensors(folder):
    save_file({"vector": table()}, folder / "i.safetensors")
    write_lines(folder / "i.txt", TEXTS)
    return folder / "i.safetensors"


def as_parquet(folder):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(table().ravel()), WIDTH)
    names = [f"n{number}" for number in range(ROWS)]
    pq.write_table(pa.table({"text": TEXTS, "vector": vectors, "name": names}), folder / "i.parquet")
    return folder / "i.parquet"


def as_jsonl(folder):
    rows = [
        {"text": text, "vector": vector.tolist(), "name": f"n{number}"}
        for number, (text, vector) in enumerate(zip(TEXTS, table(), strict=True))
    ]
    return write_lines(folder / "i.jsonl", [json.dumps(row) for row in rows])


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
@pytest.mark.parametrize("write", [as_npy, as_safetensors, as_parquet, as_jsonl])
def test_a_file_of_vectors_is_searched_exactly_by_every_metric(tmp_path, write, metric):
    with opened(write(tmp_path), metric=metric) as index:
        check(index, metric)


@pytest.mark.parametrize("write", [as_npy, as_parquet])
def test_cosine_is_the_metric_when_nobody_says_one(tmp_path, write):
    with opened(write(tmp_path)) as index:
        assert index.facts.metric == "cosine"
        assert index.facts.kind == f"{write.__name__[3:]} file"


@pytest.mark.parametrize("write", [as_parquet, as_jsonl])
def test_ids_come_from_a_column_when_asked(tmp_path, write):
    with opened(write(tmp_path), id_column="name") as index:
        check(index, "cosine", ids=lambda row: f"n{row}")


def test_ids_of_npy_rows_come_from_its_jsonl(tmp_path):
    np.save(tmp_path / "i.npy", table())
    write_lines(
        tmp_path / "t.jsonl", [json.dumps({"id": f"n{row}", "body": text}) for row, text in enumerate(TEXTS)]
    )
    with opened(tmp_path / "i.npy", texts=str(tmp_path / "t.jsonl"), text_column="body") as index:
        check(index, "cosine", ids=lambda row: f"n{row}")


def test_other_columns_are_found_by_their_names(tmp_path):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(table().ravel()), WIDTH)
    pq.write_table(pa.table({"body": TEXTS, "embedding": vectors}), tmp_path / "i.parquet")
    with opened(tmp_path / "i.parquet", text_column="body", vector_column="embedding") as index:
        check(index, "cosine")


def test_a_store_gets_its_texts_from_a_file_and_leaves_unknown_vectors_out(tmp_path):
    stores.fill(tmp_path / "store", stores.TEXTS)
    write_lines(tmp_path / "t.txt", ["no vector here", *stores.TEXTS[:50], stores.TEXTS[0]])
    with opened(tmp_path / "store", texts=str(tmp_path / "t.txt"), metric="dot") as index:
        assert (index.facts.documents, index.facts.kind, index.facts.metric) == (50, "teacher store", "dot")
        hit = index.search(stores.expected(stores.TEXTS[7:8]), 1)[0]
        assert (hit.ids, hit.texts) == (("8",), (stores.TEXTS[7],))


def test_a_store_without_any_of_the_texts_is_refused(tmp_path):
    stores.fill(tmp_path / "store", stores.TEXTS)
    write_lines(tmp_path / "t.txt", ["strange"])
    with pytest.raises(RequestError, match="holds none of the 1 texts"):
        opened(tmp_path / "store", texts=str(tmp_path / "t.txt"))


@pytest.mark.parametrize("name", ["store", "i.npy", "i.faiss"])
def test_an_index_without_texts_says_how_to_name_them(tmp_path, name):
    if name == "store":
        stores.fill(tmp_path / name, stores.TEXTS)
    elif name == "i.npy":
        np.save(tmp_path / name, table())
    else:
        write_faiss(tmp_path / name, "Flat", "l2")
    with pytest.raises(RequestError, match=r"There are no texts for .*--texts"):
        opened(tmp_path / name)


def test_texts_and_vectors_of_different_number_are_refused(tmp_path):
    path = as_npy(tmp_path)
    write_lines(tmp_path / "i.txt", TEXTS[:-1])
    with pytest.raises(RequestError, match="299 texts for the 300 vectors"):
        opened(path)


@pytest.mark.parametrize("name", ["i.npy", "i.parquet", "i.jsonl"])
def test_an_empty_index_is_refused(tmp_path, name):
    write_lines(tmp_path / "i.txt", [])
    if name == "i.npy":
        np.save(tmp_path / name, np.zeros((0, WIDTH), np.float32))
    elif name == "i.parquet":
        empty = pa.array([], pa.list_(pa.float32(), WIDTH))
        pq.write_table(pa.table({"text": pa.array([], pa.string()), "vector": empty}), tmp_path / name)
    else:
        write_lines(tmp_path / name, [])
    with pytest.raises(RequestError, match="holds no documents"):
        opened(tmp_path / name)


def test_a_vector_that_is_not_finite_is_named(tmp_path):
    path = as_npy(tmp_path)
    vectors = table()
    vectors[33, 3] = np.nan
    np.save(path, vectors)
    with opened(path) as index, pytest.raises(RequestError, match="vector of document 33 holds NaN"):
        index.search(QUERIES, 3)


def write_faiss(path, factory: str, metric: str, ids=None):
    import faiss

    kind = {"dot": faiss.METRIC_INNER_PRODUCT, "l2": faiss.METRIC_L2}[metric]
    index = faiss.index_factory(WIDTH, factory, kind)
    index.train(table())
    if ids is None:
        index.add(table())
    else:
        index.add_with_ids(table(), ids)
    faiss.write_index(index, str(path))
    return path


@pytest.mark.parametrize("metric", ["dot", "l2"])
@pytest.mark.parametrize("factory", ["Flat", "HNSW32,Flat"])
def test_a_faiss_file_is_searched_by_its_own_metric(tmp_path, factory, metric):
    write_lines(tmp_path / "i.txt", TEXTS)
    with opened(write_faiss(tmp_path / "i.faiss", factory, metric)) as index:
        check(index, metric, exact=factory == "Flat")
        assert index.facts.kind == f"FAISS Index{'Flat' if factory == 'Flat' else 'HNSWFlat'}" + (
            "" if factory != "Flat" else {"dot": "IP", "l2": "L2"}[metric]
        )


@pytest.mark.parametrize("factory", ["IDMap,Flat", "IDMap2,Flat"])
def test_ids_of_a_faiss_map_are_the_documents_ids(tmp_path, factory):
    write_lines(tmp_path / "i.txt", TEXTS)
    numbers = 7000 - np.arange(ROWS)
    with opened(write_faiss(tmp_path / "i.index", factory, "l2", numbers)) as index:
        check(index, "l2", ids=lambda row: str(7000 - row))


@pytest.mark.parametrize("factory", ["IVF4,Flat", "RR12,IVF4,Flat"])
def test_an_inverted_file_is_searched_as_faiss_does(tmp_path, factory):
    write_lines(tmp_path / "i.txt", TEXTS)
    with opened(write_faiss(tmp_path / "i.faiss", factory, "l2")) as index:
        found = index.search(table()[:20], 1)
        assert [one.ids for one in found] == [(str(row),) for row in range(20)]
        np.testing.assert_allclose(np.concatenate([one.vectors for one in found]), table()[:20], atol=1e-5)


def test_the_user_cannot_overrule_the_metric_of_a_faiss_file(tmp_path):
    write_lines(tmp_path / "i.txt", TEXTS)
    path = write_faiss(tmp_path / "i.faiss", "Flat", "l2")
    with pytest.raises(RequestError, match="ranks by l2, not by cosine"):
        opened(path, metric="cosine")


def test_a_faiss_file_that_gives_no_vectors_back_is_refused(tmp_path):
    import faiss

    index = faiss.IndexIVFSpectralHash(faiss.IndexFlatL2(WIDTH), WIDTH, 4, 16, 1.0)
    index.train(table())
    index.add(table())
    faiss.write_index(index, str(tmp_path / "i.faiss"))
    write_lines(tmp_path / "i.txt", TEXTS)
    with pytest.raises(RequestError, match="IndexIVFSpectralHash, which gives no vectors back"):
        opened(tmp_path / "i.faiss")


@pytest.mark.parametrize("size", [0, 10, 500])
def test_a_cut_faiss_file_is_damaged(tmp_path, size):
    path = write_faiss(tmp_path / "i.faiss", "Flat", "l2")
    path.write_bytes(path.read_bytes()[:size])
    write_lines(tmp_path / "i.txt", TEXTS)
    with pytest.raises(DamagedError, match="not a readable FAISS index"):
        opened(path)


@pytest.mark.parametrize("name", ["none.faiss", "none.npy", "none.parquet"])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(RequestError, match="There is no file"):
        opened(tmp_path / name)


def test_faiss_is_asked_for_when_it_is_missing(tmp_path, monkeypatch):
    path = write_faiss(tmp_path / "i.faiss", "Flat", "l2")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(RequestError, match=r"needs FAISS.*pip install 'isoglot\[faiss\]'"):
        opened(path)
