"""R15: a worker process that dies, and a memory that is full, are said within half a minute; nothing hangs."""

import re
import signal
import time

import pytest

from faults import promises, rig
from faults.exhausted import ENDS

WORKER = (
    "R15 a worker of isoglot embed ends: exit, segmentation fault, full memory",
    "said within 30 s with exit 1, nothing hangs; resumed, the same bytes",
)
MEMORY = (
    "R15 memory is full in embed, warm start and training",
    "said within 30 s with exit 1 and what to do; resumed, the same bytes",
)
SOON = 30.0
ENDINGS = {
    "exit": "ended with exit code 9 while it worked on chunk",
    "segmentation fault": "was killed by SIGSEGV while it worked on chunk",
    "memory": "Memory ran out in worker process",
}


def said_in_time(process, said, began=None):
    """Wait for the end of a process that cannot go on; give broken promises."""
    code, ended = process.wait(), time.time()
    began = float(re.search(rf"{ENDS} (\S+)", process.text)[1]) if began is None else began
    problems = [] if code == 1 else [f"it ended with {code}"]
    problems += [] if ended - began < SOON else [f"it took {ended - began:.0f} s"]
    problems += [] if said in process.text else [f"it does not say {said!r}"]
    if process.text.count("error: ") != 1 or "un the same command again" not in process.text:
        problems.append("it does not say once what is wrong and what to do")
    return [f"{problem}:\n{process.text}" for problem in problems]


def a_worker_ends(embedding, how, record_property):
    store = embedding.folder / f"workers, {how}"
    process = embedding.start(store, "--workers", "2", workers=how)
    problems = said_in_time(process, ENDINGS[how]) + embedding.finish(store)
    record_property("fault", (*WORKER, not problems))
    assert not problems, "\n".join(problems)


def memory_is_full(undisturbed, run, place, record_property):
    rig.prepare(undisturbed, rig.BY_NAME[place], run)
    process = undisturbed.start(run)
    while process.code is None and not rig.BY_NAME[place].begun(process):
        time.sleep(rig.POLL_SECONDS)
    process.send(signal.SIGUSR1)
    problems = said_in_time(process, "Memory ran out", time.time())
    problems += promises.nothing_half_written(run)
    again = undisturbed.start(run)
    problems += promises.same_result(undisturbed.whole, run) if again.wait() == 0 else [again.text]
    record_property("fault", (*MEMORY, not problems))
    assert not problems, "\n".join(problems)


def test_a_full_memory_in_training_is_said(undisturbed, tmp_path, record_property):
    memory_is_full(undisturbed, tmp_path / "run", "training", record_property)


@pytest.mark.faults
@pytest.mark.parametrize("how", ENDINGS)
def test_a_worker_that_ends_is_said(embedding, how, record_property):
    a_worker_ends(embedding, how, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("place", ["teacher vectors", "warm start", "training"])
def test_a_full_memory_is_said(undisturbed, tmp_path, place, record_property):
    memory_is_full(undisturbed, tmp_path / "run", place, record_property)
