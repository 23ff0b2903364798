"""Damage to a store is found and named, and what is lost is embedded again."""

import contextlib
import random
import sqlite3

import numpy as np
import pytest
from safetensors.numpy import save

from isoglot.errors import DamagedError, RequestError
from isoglot.teacher.store import Store
from isoglot.teacher.store_shard import Layout, map_shard
from isoglot.teacher.store_write import StoreWriter
from stores import SPACE, TEXTS, expected, fill, shards

KINDS = {
    "shard": lambda folder: sorted((folder / "shards").iterdir())[2],
    "manifest": lambda folder: folder / "manifest.sqlite",
    "seal": lambda folder: folder / "manifest.sha256",
    "header": lambda folder: folder / "store.json",
}


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def problems(folder):
    try:
        return Store.open(folder).verify()
    except (DamagedError, RequestError) as error:
        return [str(error)]


@pytest.mark.parametrize("kind", KINDS)
def test_any_flipped_bit_is_found(tmp_path, kind):
    fill(tmp_path, TEXTS)
    assert problems(tmp_path) == []
    path = KINDS[kind](tmp_path)
    chance = random.Random(kind)
    for bit in chance.sample(range(8 * path.stat().st_size), 12):
        flip(path, bit)
        assert any(path.name in problem for problem in problems(tmp_path)), f"bit {bit} of {path.name}"
        flip(path, bit)
    assert problems(tmp_path) == []


@pytest.mark.parametrize("damage", ["flip", "cut", "delete", "lengthen"])
def test_a_damaged_shard_is_named_and_never_read(tmp_path, damage):
    fill(tmp_path, TEXTS)
    path = sorted((tmp_path / "shards").iterdir())[2]
    data = path.read_bytes()
    if damage == "delete":
        path.unlink()
    elif damage == "flip":
        flip(path, 8 * len(data) - 60)
    else:
        path.write_bytes(data[:-9] if damage == "cut" else data + b"more")
    assert [path.name in problem for problem in problems(tmp_path)] == [True]
    with pytest.raises(DamagedError, match=f"{path.name}.* Delete that file and run the same isoglot embed"):
        Store.open(tmp_path, prove=True).vectors(TEXTS)
    if damage != "flip":
        with pytest.raises(DamagedError, match=path.name):
            Store.open(tmp_path).vectors(TEXTS)


def test_the_advice_for_a_damaged_shard_works(tmp_path):
    whole = shards_of_filled(tmp_path)
    for name in (sorted(whole)[2], sorted(whole)[7]):
        (tmp_path / "shards" / name).unlink()
    store = fill(tmp_path, TEXTS)
    assert shards(tmp_path) == whole
    assert store.verify() == []
    assert np.array_equal(store.vectors(TEXTS), expected(TEXTS).astype(np.float16))


def shards_of_filled(folder):
    fill(folder, TEXTS)
    return shards(folder)


def test_only_the_lost_sentences_are_embedded_again_after_several_passes(tmp_path):
    fill(tmp_path, TEXTS[:50])
    lost = min((tmp_path / "shards").iterdir())
    fill(tmp_path, TEXTS)
    lost.unlink()
    work = fill(tmp_path, TEXTS, stop_after=0).work_for(TEXTS)
    assert len(work.texts) == 10
    fill(tmp_path, TEXTS)
    assert Store.open(tmp_path).vectors(TEXTS).shape == (95, 8)


def test_a_changed_row_is_noticed_without_verify(tmp_path):
    fill(tmp_path, TEXTS)
    with contextlib.closing(sqlite3.connect(tmp_path / "manifest.sqlite")) as database, database:
        database.execute("UPDATE chunk SET rows = 9 WHERE seq = 4")
    with pytest.raises(DamagedError, match="row 4 does not match its own digest"):
        Store.open(tmp_path)


def test_an_unfinished_pass_is_no_damage(tmp_path):
    fill(tmp_path, TEXTS, stop_after=3)
    assert not (tmp_path / "manifest.sha256").exists()
    assert problems(tmp_path) == []
    fill(tmp_path, TEXTS)
    assert (tmp_path / "manifest.sha256").exists()
    fill(tmp_path, [*TEXTS, "one more"], stop_after=0)  # its plan is noted, so the old seal would be wrong
    assert not (tmp_path / "manifest.sha256").exists()
    assert problems(tmp_path) == []


def test_damage_to_an_unsealed_manifest_is_found_by_sqlite(tmp_path):
    fill(tmp_path, TEXTS, stop_after=3)
    path = tmp_path / "manifest.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert any("manifest.sqlite" in problem for problem in problems(tmp_path))


def test_the_seal_is_one_that_sha256sum_reads(tmp_path):
    fill(tmp_path, TEXTS)
    digest, name = (tmp_path / "manifest.sha256").read_text().split()
    assert (len(digest), name) == (64, "manifest.sqlite")


def test_a_reader_at_the_end_of_a_pass_cannot_spoil_the_seal(tmp_path):
    store = fill(tmp_path, TEXTS, stop_after=3)
    with contextlib.closing(sqlite3.connect(tmp_path / "manifest.sqlite")) as reader:
        assert reader.execute("SELECT count(*) FROM chunk").fetchone() == (3,)
        store.seal()
    assert problems(tmp_path) == []
    assert (tmp_path / "manifest.sha256").exists()


def test_a_store_of_another_format_says_what_to_do(tmp_path):
    fill(tmp_path, TEXTS)
    (tmp_path / "store.json").write_text('{"format": 1, "space": {}, "dimension": 8, "chunk_rows": 10}')
    with pytest.raises(RequestError, match=r"store format 1, this isoglot reads 2. Delete .* isoglot embed"):
        Store.open(tmp_path)


def test_a_store_in_a_folder_that_cannot_be_written_is_read(tmp_path, monkeypatch):
    fill(tmp_path, TEXTS)
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr("os.access", lambda path, mode: False)  # as root, permissions would not refuse
    assert Store.open(tmp_path).vectors(TEXTS[:3]).shape == (3, 8)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_missing_manifest_is_damage_and_not_an_empty_store(tmp_path):
    fill(tmp_path, TEXTS)
    (tmp_path / "manifest.sqlite").unlink()
    for opening in (lambda: Store.open(tmp_path), lambda: StoreWriter.create(tmp_path, SPACE, 10)):
        with pytest.raises(DamagedError, match=r"manifest\.sqlite"):
            opening()


HEADERS = {
    "a list": "[]",
    "deep": "[" * 100_000,
    "no fields": '{"keys": {}, "vectors": {}}',
    "a number": '{"keys": 5}',
    "endless shape": '{"keys": {"dtype": "U8", "shape": [1e30], "data_offsets": [0, 16]}}',
    "huge shape": '{"keys": {"dtype": "U8", "shape": [10000000000000000000000], "data_offsets": [0, 16]}}',
    "odd type": '{"keys": {"dtype": ["U8"], "shape": [1, 16], "data_offsets": [0, 16]}}',
    "backwards": '{"keys": {"dtype": "U8", "shape": [1, 16], "data_offsets": [16, 0]}}',
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_shard_with_an_odd_header_is_damaged_not_a_crash(tmp_path, header):
    text = HEADERS[header].encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(64))
    with pytest.raises(DamagedError, match="not a readable shard"):
        map_shard(path, path.stat().st_size, 1, Layout(4, "fp16"))


def test_scales_for_other_rows_are_damage(tmp_path):
    path = tmp_path / "x.safetensors"
    tensors = {
        "keys": np.zeros((2, 16), np.uint8),
        "vectors": np.ones((2, 4), np.int8),
        "scales": np.ones(1, np.float32),
    }
    path.write_bytes(save(tensors))
    with pytest.raises(DamagedError, match=r"holds float32 \(1,\) scales for 2 rows"):
        map_shard(path, path.stat().st_size, 2, Layout(4, "int8"))
