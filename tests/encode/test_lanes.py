"""Batches side by side: order, number of threads, place of errors, no thread left, and the same bits."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import torch

import tiny
from isoglot.encode import encoder as encoder_module
from isoglot.encode import packed as packed_module
from isoglot.encode.encoder import load_encoder
from isoglot.encode.lanes import can_share, in_lanes, in_turn


@contextmanager
def ready():
    with torch.inference_mode():
        yield


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    assert torch.get_num_threads() == 2  # whatever the lanes had
    torch.set_num_threads(before)


def lanes():
    return [thread for thread in threading.enumerate() if thread.name.startswith("isoglot-lane")]


def test_two_items_are_in_work_at_once_and_come_in_order(two_threads):
    meeting = threading.Barrier(2)

    def work(number):
        meeting.wait(10)  # a single lane would never get past it
        time.sleep(0.02 * (number % 2 == 0))
        return number * 10

    assert list(in_lanes(work, range(6), ready)) == [0, 10, 20, 30, 40, 50]
    assert lanes() == []


def test_lanes_share_the_threads_evenly_and_have_the_modes_that_are_asked_for(two_threads):
    def work(_):
        return torch.get_num_threads(), torch.is_inference_mode_enabled()

    assert set(in_lanes(work, range(6), ready)) == {(1, True)}
    torch.set_num_threads(7)
    assert set(in_lanes(work, range(3), ready)) == {(2, True)}  # three lanes of two threads
    torch.set_num_threads(2)


@pytest.mark.parametrize("items", [0, 1])
def test_one_item_has_all_threads_and_no_lane(two_threads, items):
    def work(_):
        return torch.get_num_threads(), threading.current_thread() is threading.main_thread()

    assert list(in_lanes(work, range(items), ready)) == [(2, True)] * items


@pytest.mark.parametrize("way", [in_lanes, in_turn])
def test_torchs_modes_are_the_callers_own_between_results(two_threads, way):
    first, second = (way(lambda _: torch.is_inference_mode_enabled(), range(9), ready) for _ in range(2))
    assert [next(first), next(second)] == [True, True]
    assert not torch.is_inference_mode_enabled()
    first.close()
    second.close()
    assert not torch.is_inference_mode_enabled()


def test_with_one_thread_there_is_one_lane():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    names = set(in_lanes(lambda _: threading.current_thread().name, range(4), ready))
    torch.set_num_threads(before)
    assert len(names) == 1
    assert all(name.startswith("isoglot-lane") for name in names)


def test_only_few_items_are_taken_ahead(two_threads):
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = in_lanes(lambda number: number, items(), ready)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= 3 + 4
    results.close()
    assert lanes() == []


def test_an_error_comes_in_its_place_and_leaves_no_thread(two_threads):
    results = in_lanes(lambda number: 6 / (2 - number), [0, 1, 2, 3], ready)
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert lanes() == []
    assert list(in_lanes(abs, [-1, -2, -3], ready)) == [1, 2, 3]  # they can be had again


def test_an_error_of_the_items_leaves_no_thread(two_threads):
    def items():
        yield from range(5)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(in_lanes(abs, items(), ready))
    assert lanes() == []


def test_who_comes_while_another_has_lanes_goes_in_turn(two_threads):
    outer = in_lanes(lambda number: number, range(10), ready)
    next(outer)
    before = len(lanes())
    inner = in_lanes(lambda _: len(lanes()), range(4), ready)
    assert list(inner) == [before] * 4
    assert list(outer) == list(range(1, 10))


def test_a_program_ends_though_its_lanes_were_never_closed():
    program = (
        "import sys, torch; from contextlib import nullcontext; from isoglot.encode.lanes import in_lanes;"
        "torch.set_num_threads(2); sys.kept = in_lanes(abs, range(100), nullcontext); print(next(sys.kept))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "0\n"


@pytest.mark.parametrize("rope", ["default", "dynamic", "longrope", {"full": "dynamic"}])
def test_a_network_that_a_pass_changes_is_not_shared(rope):
    part = torch.nn.Linear(2, 2)
    part.rope_type = rope
    assert can_share(torch.nn.Sequential(part)) == (rope == "default")


@pytest.mark.parametrize("packed", [True, False])
def test_an_encoder_gives_the_same_bits_in_lanes_and_in_turn(tiny_folder, monkeypatch, two_threads, packed):
    encoder = load_encoder(tiny_folder / "teacher")
    monkeypatch.setattr(encoder_module, "BATCH_TOKENS", 40)
    if not packed:
        monkeypatch.setattr("isoglot.encode.packed.is_known", lambda _: False)
    texts = [tiny.sentence(number) for number in range(60)]
    seen = set()
    owner, name = (packed_module, "features") if packed else (encoder, "_padded")
    original = getattr(owner, name)

    def watched(*batch):
        seen.add(threading.current_thread().name.rsplit("_", 1)[0])
        return original(*batch)

    monkeypatch.setattr(owner, name, watched)
    together = encoder.encode(texts)
    assert seen == {"isoglot-lane"}
    seen.clear()
    monkeypatch.setattr("isoglot.encode.lanes.in_lanes", in_turn)
    assert encoder.encode(texts).tobytes() == together.tobytes()
    assert seen == {"MainThread"}
