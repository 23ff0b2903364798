"""How vectors are stored: precision, size, maps."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from isoglot.config import TeacherConfig
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store
from isoglot.teacher.store_shard import Layout, from_half, pack
from stores import DIMENSION, TEXTS, Counting, expected, fill, shards

MANY = [f"one of many sentences, number {number}" for number in range(300)]


def errors(folder, precision, dimension=384):
    store = fill(folder, MANY, precision=precision, dimension=dimension)
    found, wanted = store.vectors(MANY), expected(MANY, dimension)
    cosines = (found * wanted).sum(axis=1) / np.linalg.norm(found, axis=1)
    return float(np.sqrt(np.mean((found - wanted) ** 2))), float(cosines.min())


def test_fp32_keeps_every_bit_in_twice_the_space_of_fp16(tmp_path):
    store = fill(tmp_path / "fp32", MANY, precision="fp32", dimension=384)
    assert np.array_equal(store.vectors(MANY), expected(MANY, 384))
    fill(tmp_path / "fp16", MANY, dimension=384)
    sizes = [sum(map(len, shards(tmp_path / precision).values())) for precision in ("fp32", "fp16")]
    assert 1.9 < sizes[0] / sizes[1] < 2


def test_fp16_keeps_vectors_almost_exactly(tmp_path):
    rmse, cosine = errors(tmp_path, "fp16")
    assert rmse < 1.5e-5
    assert cosine > 0.999_999_5


def test_int8_halves_the_store_and_keeps_directions(tmp_path):
    rmse, cosine = errors(tmp_path / "int8", "int8")
    assert 1e-4 < rmse < 4.5e-4  # of components of about 0.05
    assert cosine > 0.9999
    errors(tmp_path / "fp16", "fp16")
    sizes = [sum(map(len, shards(tmp_path / precision).values())) for precision in ("int8", "fp16")]
    assert sizes[0] < 0.56 * sizes[1]  # keys and scales beside the halved vectors


def test_int8_uses_the_whole_range_of_every_row(tmp_path):
    rows = np.array([[0.5, -2.0, 1.0], [1e-6, 0.0, -3e-6], [1e5, 1.0, 2e5]], np.float32)
    data = pack("c", np.zeros((3, 16), np.uint8), rows, Layout(3, "int8"))
    path = tmp_path / "one"
    path.write_bytes(data)
    from safetensors.numpy import load_file

    stored = load_file(path)
    assert np.abs(stored["vectors"]).max(axis=1).tolist() == [127, 127, 127]
    assert np.allclose(stored["vectors"] * stored["scales"][:, None], rows, atol=np.abs(rows).max() / 250)


def test_the_precision_of_the_recipe_decides(tmp_path):
    stores = {}
    for precision in ("fp16", "int8"):
        config = TeacherConfig(model="counting", chunk_rows=10, store_precision=precision)
        stores[precision] = embed(TEXTS, Counting(), config, tmp_path / precision)
    assert b'"I8"' in next(iter(shards(tmp_path / "int8").values()))
    difference = np.abs(stores["int8"].vectors(TEXTS) - stores["fp16"].vectors(TEXTS)).max()
    assert 0 < difference < 0.005


def test_every_finite_half_becomes_the_same_float():
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    converted = from_half(halves.view(np.int16))
    assert np.array_equal(converted, halves.astype(np.float32))
    assert np.array_equal(np.signbit(converted), np.signbit(halves))


def test_a_large_read_is_cut_into_blocks_and_nothing_changes(tmp_path, monkeypatch):
    store = fill(tmp_path, TEXTS)
    numbers = store.locate(TEXTS)
    whole = store.read(numbers)
    monkeypatch.setattr("isoglot.teacher.store._READ_ROWS", 7)
    assert np.array_equal(store.read(numbers), whole)


def test_an_open_store_holds_no_file_descriptors(tmp_path):
    store = fill(tmp_path, TEXTS)
    before = open_files()
    store.vectors(TEXTS)
    assert len(store.shards) == 10
    assert open_files() == before


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_table_reads_nothing_before_it_is_asked(tmp_path, precision):
    fill(tmp_path, TEXTS, precision=precision)
    store = Store.open(tmp_path)
    table = store.table(TEXTS[::-1])
    assert (len(table), table.shape) == (95, (95, DIMENSION))
    assert np.array_equal(table[np.array([0, 94, 0])], store.vectors([TEXTS[94], TEXTS[0], TEXTS[94]]))
    assert np.array_equal(table[2:5], store.vectors(TEXTS[90:93][::-1]))


def read_in_worker(table, rows, answer):
    before = len(table.store.shards)
    answer.put((before, table[rows], len(table.store.shards)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_opens_its_own_maps_of_the_shards_it_reads(tmp_path, method):
    fill(tmp_path, TEXTS)
    store = Store.open(tmp_path)
    table = store.table(TEXTS)
    del store.shards[1]  # so that a fork has something left to open
    context = multiprocessing.get_context(method)
    answer = context.Queue()
    rows = np.flatnonzero(table.numbers >> 32 == 1)
    process = context.Process(target=read_in_worker, args=(table, rows, answer))
    process.start()
    before, vectors, after = answer.get(timeout=60)
    process.join(10)
    assert np.array_equal(vectors, expected([TEXTS[row] for row in rows]).astype(np.float16))
    assert (before, after) == ((9, 10) if method == "fork" else (0, 1))
