"""Several processes do a plan: same results, same order, and a dead worker is news at once (R15)."""

import contextlib
import multiprocessing
import os
import time
from functools import partial

import pytest

import crashing
from isoglot.errors import IsoglotError
from isoglot.scale.plan import Chunk
from isoglot.scale.pool import Pool, run_in_processes

CHUNKS = [Chunk(f"chunk{number}", number, number + 1) for number in range(12)]


def run(how, workers=2, chunks=CHUNKS):
    return run_in_processes(chunks, lambda chunk: chunk.start, Pool(workers, partial(crashing.load, how)))


def test_results_come_in_the_order_of_the_plan_from_several_processes():
    results = list(run("never", workers=3))
    assert [(chunk.start, square) for chunk, (square, _) in results] == [(n, n * n) for n in range(12)]
    processes = {process for _, (_, process) in results}
    assert len(processes) == 3
    assert os.getpid() not in processes
    assert not multiprocessing.active_children()


def test_more_workers_than_chunks_are_no_harm():
    assert [square for _, (square, _) in run("never", workers=3, chunks=CHUNKS[:2])] == [0, 1]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", "ended with exit code 9 while it worked on chunk chunk5"),
        ("segmentation fault", "was killed by SIGSEGV while it worked on chunk chunk5"),
        ("kill", "was killed by SIGKILL while it worked on chunk chunk5"),
        ("memory", r"Memory ran out in worker process \d+: MemoryError"),
        ("bug", "ended with exit code 1 while it worked on chunk chunk5"),
        ("while loading", "ended with exit code 3"),
        ("refusal", "the teacher is not at home"),
    ],
)
def test_a_dead_worker_is_news_at_once(how, said, capfd):
    began, finished = time.monotonic(), []
    with pytest.raises(IsoglotError, match=said) as caught:
        finished.extend(chunk.start for chunk, _ in run(how))
    assert time.monotonic() - began < 30
    assert finished == list(range(len(finished)))
    assert len(finished) <= 5
    assert caught.value.next_step
    assert not multiprocessing.active_children()
    if how == "bug":
        assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_death_is_not_left_until_its_turn_comes():
    """Chunk 4 would take ten minutes, and chunk 5's worker dies meanwhile."""
    began = time.monotonic()
    with pytest.raises(IsoglotError, match="chunk5"):
        list(run_in_processes(CHUNKS[4:6], lambda chunk: chunk.start, Pool(2, crashing.load_slow_then_dead)))
    assert time.monotonic() - began < 30


def test_a_caller_who_stops_early_leaves_no_process():
    with contextlib.closing(run("slow")) as results:
        next(results)
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()
