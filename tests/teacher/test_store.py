import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import tiny
from isoglot.config import TeacherConfig
from isoglot.encode.encoder import load_encoder
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_write import StoreWriter
from stores import SPACE, TEXTS, Counting, expected, fill, shards, vectors_of


def test_vectors_come_back_by_content(tmp_path):
    fill(tmp_path, [*TEXTS, *TEXTS[:20]])
    store = Store.open(tmp_path)
    assert store.rows == 95
    asked = [TEXTS[40], TEXTS[3], TEXTS[40], TEXTS[94]]
    assert np.abs(store.vectors(asked) - expected(asked)).max() < 1e-3  # fp16
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
    store = fill(tmp_path, TEXTS[:50], stop_after=0)
    again = store.work_for(TEXTS[:50])
    assert again.left(again.plan) == []
    work = store.work_for(TEXTS)
    assert sorted(work.texts) == sorted(TEXTS[50:])
    # Interrupted in the middle, the plan of the second request stays what it was.
    assert fill(tmp_path, TEXTS, stop_after=2).work_for(TEXTS).plan == work.plan


@pytest.mark.parametrize(("field", "value"), [("weights", "other"), ("prompt", "query: ")])
def test_another_space_is_refused_by_field(tmp_path, field, value):
    fill(tmp_path, TEXTS)
    with pytest.raises(RequestError, match=f"{field} is"):
        StoreWriter.create(tmp_path, {**SPACE, field: value, "fingerprint": "g"}, 10)
    with pytest.raises(RequestError, match="chunk_rows is 10 there and 20 now"):
        StoreWriter.create(tmp_path, SPACE, 20)
    with pytest.raises(RequestError, match="store_precision is fp16 there and int8 now"):
        StoreWriter.create(tmp_path, SPACE, 10, "int8")
    with pytest.raises(RequestError, match="prompt is  there and None now"):
        StoreWriter.create(tmp_path, {key: SPACE[key] for key in SPACE if key != "prompt"}, 10)


@pytest.mark.parametrize("bad", ["nan", "inf", "zero", "shape", "too long for fp16", "too short for fp16"])
def test_bad_vectors_are_never_committed(tmp_path, bad):
    store = StoreWriter.create(tmp_path, SPACE, 10)
    work = store.work_for(TEXTS)
    chunk = work.plan[0]
    keys = work.keys[chunk.start : chunk.stop]
    vectors = vectors_of(keys)
    if bad == "shape":
        vectors = vectors[:, :5]
    elif bad == "nan":
        vectors[3, 2] = np.nan
    else:
        lengths = {"inf": np.inf, "zero": 0.0, "too long for fp16": 1e6, "too short for fp16": 1e-9}
        vectors[3] = lengths[bad]
    with pytest.raises(IsoglotError, match="gave"):
        store.commit(chunk, keys, vectors)
    assert store.rows == 0
    assert not shards(tmp_path)


def test_an_uncommitted_shard_is_not_read_and_swept_by_the_next_pass(tmp_path):
    fill(tmp_path, TEXTS)
    name = sorted(shards(tmp_path))[0]
    (tmp_path / "shards" / "stray.safetensors").write_bytes(b"half a shard")
    (tmp_path / "shards" / f"{name}.partial").write_bytes(b"half a shard")
    with sqlite3.connect(tmp_path / "manifest.sqlite") as database:
        database.execute("DELETE FROM chunk WHERE id = ?", (name.removesuffix(".safetensors"),))
    assert Store.open(tmp_path).rows < 95
    fill(tmp_path, TEXTS)
    assert Store.open(tmp_path).rows == 95
    assert sorted(shards(tmp_path)) == sorted(f"{one}.safetensors" for one in committed(tmp_path))


def committed(folder):
    return [entry.chunk for entry in Store.open(folder).entries.values()]


def test_a_sentence_is_embedded_once_per_committed_chunk(tmp_path):
    config = TeacherConfig(model="counting", chunk_rows=10)
    teachers = [Counting(chunks) for chunks in (0, 3, 1, 4, 100)]
    for teacher in teachers[:-1]:
        with pytest.raises(IsoglotError, match="broken"):
            embed(TEXTS + TEXTS, teacher, config, tmp_path / "store")
    embed(TEXTS + TEXTS, teachers[-1], config, tmp_path / "store")
    assert sorted(text for teacher in teachers for text in teacher.seen) == sorted(TEXTS)
    idle = Counting(0)
    embed(TEXTS, idle, config, tmp_path / "store")
    assert idle.seen == []


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


def test_shards_without_a_header_are_neither_taken_over_nor_swept(tmp_path):
    """They may be of another space, or no shards of ours at all."""
    fill(tmp_path / "lost", TEXTS)
    (tmp_path / "lost" / "store.json").unlink()
    (tmp_path / "model" / "shards").mkdir(parents=True)
    (tmp_path / "model" / "shards" / "model-00001-of-00002.safetensors").write_bytes(b"somebody else's")
    for name in ("lost", "model"):
        before = shards(tmp_path / name)
        with pytest.raises(DamagedError, match=r"has shards but no store\.json"):
            StoreWriter.create(tmp_path / name, {**SPACE, "weights": "other"}, 10)
        assert shards(tmp_path / name) == before


def test_who_may_only_read_sees_what_was_just_committed(tmp_path, monkeypatch):
    fill(tmp_path, TEXTS[:40])
    with closing(
        sqlite3.connect(tmp_path / "manifest.sqlite")
    ) as reader:  # its log stays while somebody reads
        reader.execute("SELECT count(*) FROM chunk").fetchone()
        fill(tmp_path, TEXTS, stop_after=6)
        assert (tmp_path / "manifest.sqlite-wal").stat().st_size
        monkeypatch.setattr("isoglot.teacher.store_index.os.access", lambda *_: False)
        assert Store.open(tmp_path).rows == len(TEXTS)
    assert Store.open(tmp_path).rows == len(TEXTS)
