import shutil
import sqlite3

import numpy as np
import pytest

import tiny
from isoglot.config import TeacherConfig
from isoglot.encode.encoder import load_encoder
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.scale.plan import cut
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store, key_of

SPACE = {"weights": "w", "prompt": "", "dimension": 8, "fingerprint": "f"}


def vectors_of(keys):
    """A vector for each key that depends on nothing but the key."""
    return np.stack([np.frombuffer(key, np.uint8)[:8].astype(np.float32) / 256 + 0.01 for key in keys])


def fill(folder, texts, stop_after=None):
    store = Store.create(folder, SPACE, 10)
    work = store.work_for(texts)
    left = [chunk for chunk in work.plan if chunk.id not in work.done]
    for chunk in left[:stop_after]:
        keys = work.keys[chunk.start : chunk.stop]
        store.commit(chunk, keys, vectors_of(keys))
    return store


def shards(folder):
    return {path.name: path.read_bytes() for path in (folder / "shards").iterdir()}


TEXTS = [f"sentence {number}" for number in range(95)]


def test_vectors_come_back_by_content(tmp_path):
    fill(tmp_path, [*TEXTS, *TEXTS[:20]])
    store = Store.open(tmp_path)
    assert store.rows == 95
    asked = [TEXTS[40], TEXTS[3], TEXTS[40], TEXTS[94]]
    expected = vectors_of([key_of(text) for text in asked])
    assert np.abs(store.vectors(asked) - expected).max() < 1e-3  # fp16
    assert np.array_equal(store.read(store.locate(asked)), store.vectors(asked))


def test_composed_and_decomposed_text_is_one_sentence():
    assert key_of("é") == key_of("e\u0301")


def test_a_missing_sentence_is_named(tmp_path):
    fill(tmp_path, TEXTS)
    with pytest.raises(RequestError, match=r"lacks 1 of 2 sentences, such as 'never seen'"):
        Store.open(tmp_path).vectors(["sentence 1", "never seen"])
    with pytest.raises(RequestError, match="lacks 1"):
        fill(tmp_path / "empty", []).vectors(["anything"])


@pytest.mark.parametrize("stop_after", [0, 1, 4, 9])
def test_a_resumed_pass_writes_the_same_bytes(tmp_path, stop_after):
    fill(tmp_path / "whole", TEXTS)
    fill(tmp_path / "parts", TEXTS, stop_after)
    fill(tmp_path / "parts", TEXTS)
    assert shards(tmp_path / "parts") == shards(tmp_path / "whole")


def test_a_second_request_embeds_only_what_is_new(tmp_path):
    fill(tmp_path, TEXTS[:50])
    store = Store.open(tmp_path)
    assert store.work_for(TEXTS[:50]).rows_left == 0
    work = store.work_for(TEXTS)
    assert sorted(work.texts) == sorted(TEXTS[50:])
    # Interrupted in the middle, the plan of the second request stays what it was.
    fill(tmp_path, TEXTS, stop_after=2)
    assert [chunk.id for chunk in Store.open(tmp_path).work_for(TEXTS).plan] == [
        chunk.id for chunk in work.plan
    ]


@pytest.mark.parametrize(("field", "value"), [("weights", "other"), ("prompt", "query: ")])
def test_another_space_is_refused_by_field(tmp_path, field, value):
    fill(tmp_path, TEXTS)
    with pytest.raises(RequestError, match=f"{field} is"):
        Store.create(tmp_path, {**SPACE, field: value, "fingerprint": "g"}, 10)
    with pytest.raises(RequestError, match="chunk_rows is 10 there and 20 now"):
        Store.create(tmp_path, SPACE, 20)


@pytest.mark.parametrize("bad", ["nan", "inf", "zero", "shape"])
def test_bad_vectors_are_never_committed(tmp_path, bad):
    store = Store.create(tmp_path, SPACE, 10)
    work = store.work_for(TEXTS)
    chunk = work.plan[0]
    keys = work.keys[chunk.start : chunk.stop]
    vectors = vectors_of(keys)
    if bad == "shape":
        vectors = vectors[:, :5]
    else:
        vectors[3] = {"nan": np.nan, "inf": np.inf, "zero": 0.0}[bad]
    with pytest.raises(IsoglotError, match="gave"):
        store.commit(chunk, keys, vectors)
    assert store.rows == 0
    assert not shards(tmp_path)


def test_an_uncommitted_shard_is_not_read(tmp_path):
    fill(tmp_path, TEXTS)
    name = sorted(shards(tmp_path))[0]
    (tmp_path / "shards" / "stray.safetensors").write_bytes(b"half a shard")
    with sqlite3.connect(tmp_path / "manifest.sqlite") as database:
        database.execute("DELETE FROM chunk WHERE id = ?", (name.removesuffix(".safetensors"),))
    store = Store.open(tmp_path)
    assert store.rows < 95
    fill(tmp_path, TEXTS)
    assert Store.open(tmp_path).rows == 95
    assert Store.open(tmp_path).verify() == []


@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_damage_is_found(tmp_path, damage):
    fill(tmp_path, TEXTS)
    path = sorted((tmp_path / "shards").iterdir())[2]
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[-7] ^= 1
    path.write_bytes(data[:-9] if damage == "cut" else data)
    if damage == "delete":
        path.unlink()
    assert len(Store.open(tmp_path).verify()) == 1
    if damage != "flip":
        with pytest.raises(DamagedError, match="shard"):
            Store.open(tmp_path).vectors(TEXTS)


def test_embedding_a_corpus_with_a_real_teacher(tmp_path, tiny_folder):
    teacher = load_encoder(tiny_folder / "teacher")
    texts = [tiny.sentence(number) for number in range(150)]
    config = TeacherConfig(model="tiny", chunk_rows=32)
    store = embed(texts, teacher, config, tmp_path / "store")
    assert np.abs(store.vectors(texts) - teacher.encode(texts)).max() < 1e-3
    first = shards(tmp_path / "store")
    embed(texts[:40], teacher, config, tmp_path / "store")
    assert shards(tmp_path / "store") == first
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    with pytest.raises(RequestError, match="prompt"):
        embed(texts, load_encoder(tiny_folder / "teacher", prompt="the "), config, tmp_path / "copy")


def test_cut_names_chunks_by_content():
    keys = [bytes([number] * 4) for number in range(7)]
    plan = cut(keys, 3)
    assert [(chunk.start, chunk.stop) for chunk in plan] == [(0, 3), (3, 6), (6, 7)]
    assert plan[0].id == cut(keys[:3], 3)[0].id
    assert len({chunk.id for chunk in plan}) == 3
