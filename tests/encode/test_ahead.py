"""Work one item ahead: order, place of errors, no thread left, and the real encoder on top of it."""

import threading

import numpy as np
import pytest

import tiny
from isoglot.config import TeacherConfig
from isoglot.encode import ahead as module
from isoglot.encode.ahead import ahead, arrays
from isoglot.encode.encoder import load_encoder
from isoglot.errors import IsoglotError
from isoglot.teacher.embed import embed
from isoglot.teacher.joined import Joined
from isoglot.teacher.reduced import Reduced


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("isoglot-ahead")]


def test_the_next_item_is_worked_on_while_one_result_is_used():
    begun = {number: threading.Event() for number in range(3)}

    def work(number):
        begun[number].set()
        return number * 10

    results = ahead(work, [0, 1, 2])
    assert next(results) == 0
    assert begun[1].wait(10)
    assert not begun[2].wait(0.1)  # one ahead, not more
    assert list(results) == [10, 20]
    assert threads() == []


@pytest.mark.parametrize(("items", "expected"), [([], []), ([4], [40])])
def test_few_items_need_no_thread(items, expected):
    def work(number):
        assert threading.current_thread() is threading.main_thread()
        return number * 10

    assert list(ahead(work, items)) == expected


def test_an_error_comes_after_all_results_before_it_and_leaves_no_thread():
    results = ahead(lambda number: 6 / (2 - number), [0, 1, 2, 3])
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threads() == []


def test_who_stops_early_leaves_no_thread():
    results = ahead(str, range(100))
    next(results)
    assert len(threads()) == 1
    results.close()
    assert threads() == []


def test_an_error_in_the_user_of_the_arrays_leaves_no_thread():
    def compute(_):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(arrays([["a"], ["b"]], list, lambda texts: [np.arange(len(texts))], compute, 1))
    assert threads() == []


LISTS = [[tiny.sentence(number) for number in range(first, first + 9)] for first in range(0, 45, 9)] + [[]]


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(tiny_folder / "teacher")


def test_lists_are_encoded_as_each_by_itself_bit_for_bit(encoder):
    axes = np.linalg.qr(np.random.default_rng(0).standard_normal((24, 24)))[0][:, :6].astype(np.float32)
    for teacher in (encoder, Reduced(encoder, axes, 9), Joined((encoder, encoder), (1.0, 2.0), True)):
        together = list(teacher.encode_each(LISTS))
        for texts, vectors in zip(LISTS, together, strict=True):
            assert vectors.tobytes() == teacher.encode(texts).tobytes()
    assert threads() == []


def test_a_long_list_goes_through_in_slices(encoder, monkeypatch):
    texts = [text for some in LISTS for text in some]
    whole = encoder.encode(texts)
    seen = []
    tokenise = encoder.tokenizer
    monkeypatch.setattr(
        encoder, "tokenizer", lambda part, prompt: seen.append(len(part)) or tokenise(part, prompt)
    )
    monkeypatch.setattr(module, "_SLICE", 20)
    assert np.abs(encoder.encode(texts) - whole).max() < 1e-6
    assert seen == [20, 20, 5]


def test_a_pass_tokenises_ahead_and_ends_its_thread_when_the_store_refuses(encoder, tmp_path, monkeypatch):
    texts = [tiny.sentence(number) for number in range(40)]
    config = TeacherConfig(model="unused", chunk_rows=10)
    seen = []

    def refuse(*_):
        seen.append(len(threads()))
        raise IsoglotError("refused", "mend it")

    monkeypatch.setattr("isoglot.teacher.store_write.StoreWriter.commit", refuse)
    with pytest.raises(IsoglotError, match="refused"):
        embed(texts, encoder, config, tmp_path / "store")
    assert seen == [1]
    assert threads() == []
    monkeypatch.undo()
    store = embed(texts, encoder, config, tmp_path / "store")
    assert np.abs(store.vectors(texts) - encoder.encode(texts)).max() < 1e-3
