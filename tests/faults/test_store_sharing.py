"""R12 and R13: two writers of one store, stale locks, and readers while a writer writes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from faults.store_rig import TEXTS, Writer, differences
from isoglot.errors import RequestError
from isoglot.teacher.store import Store, key_of
from stores import vectors_of

TWO = (
    "R12 two writers, stale locks",
    "the second is refused at once, naming process and host; a dead one's lock is taken over",
)
READ = (
    "R13 a reader while a writer writes",
    "committed chunks only, each with its own vectors, never fewer than before",
)
SLOW = 0.15  # seconds before each of the four chunks


@pytest.fixture(scope="module")
def writers(tmp_path_factory):
    two = [Writer(tmp_path_factory.mktemp(f"writer{number}")) for number in (1, 2)]
    yield two
    for one in two:
        one.close()


@pytest.fixture(scope="module")
def whole(writers):
    """The store of an undisturbed pass."""
    assert writers[0].run(writers[0].folder / "whole", calls="").code == 0
    return writers[0].folder / "whole"


def wait_for_commits(writer, store, chunks):
    lock = store / ".lock"
    while writer.said().count("committed") < chunks or not lock.is_file() or not lock.read_text():
        time.sleep(0.002)


def refused(writers, whole, chunks, record_property):
    """A second writer comes when the first has committed so many chunks."""
    first, second = writers
    store = first.folder / "shared"
    with first.started(store, pause=SLOW) as number:
        first.go(number)
        wait_for_commits(first, store, chunks)
        began = time.monotonic()
        other = second.run(store, calls="")
        seconds = time.monotonic() - began
        ended = first.ended()
    named = f"in use by process {number} on {socket.gethostname()}" in other.said
    problems = [] if other.code == 1 and named else [f"the second ended with {other.code}: {other.said}"]
    problems += [] if seconds < 5 else [f"the second waited {seconds} s"]
    problems += [] if ended.code == 0 else [f"the first ended with {ended.code}: {ended.said}"]
    note([*problems, *differences(store, whole)], store, TWO, record_property)


def taken_over(writers, whole, chunks, holder, record_property):
    """A writer was killed, and its lock file names a process that is dead, or another one that lives."""
    first, second = writers
    store = first.folder / "shared"
    with first.started(store, pause=SLOW) as number:
        first.go(number)
        wait_for_commits(first, store, chunks)
        os.kill(number, signal.SIGKILL)
        first.ended()
    if holder is not None:
        (store / ".lock").write_text(f"process {holder} on {socket.gethostname()}")
    other = second.run(store, calls="")
    problems = [] if other.code == 0 else [f"the next writer ended with {other.code}: {other.said}"]
    note([*problems, *differences(store, whole)], store, TWO, record_property)


def note(problems, store, row, record_property):
    record_property("fault", (*row, not problems))
    shutil.rmtree(store)
    assert not problems, "\n".join(problems)


def watch(writers, whole, reads, record_property):
    """Read again and again while one pass after another writes."""
    writer = writers[0]
    done = 0
    while done < reads:
        store = writer.folder / "watched"
        with writer.started(store, pause=SLOW) as number:
            writer.go(number)
            seen = 0
            while done < reads and seen < len(TEXTS):
                seen, problems = look(store, seen)
                if seen:
                    done += 1
                    record_property("fault", (*READ, not problems))
                    assert not problems, problems
            ended = writer.ended()
        assert (ended.code, differences(store, whole)) == (0, [])
        shutil.rmtree(store)


def look(store, before):
    """Open the store and read all of it; give how many vectors there are, and broken promises."""
    try:
        opened = Store.open(store)
    except RequestError:
        return 0, [f"{before} vectors are gone"] if before else []
    _, numbers = opened.sorted_keys()
    there = {bytes(key): number for key, number in zip(*opened.sorted_keys(), strict=True)}
    wanted = [key_of(text) for text in TEXTS if key_of(text) in there]
    vectors = opened.read(np.array([there[key] for key in wanted], np.int64))
    problems = [] if len(wanted) == len(numbers) >= before else [f"{len(numbers)} vectors after {before}"]
    if wanted and not np.array_equal(vectors, vectors_of(wanted).astype(np.float16)):
        problems.append("a vector is another's")
    return len(numbers), problems


def test_a_second_writer_is_refused_and_a_dead_one_replaced(writers, whole, record_property):
    refused(writers, whole, 1, record_property)
    taken_over(writers, whole, 1, None, record_property)
    taken_over(writers, whole, 2, os.getpid(), record_property)


def test_a_reader_sees_committed_chunks_only(writers, whole, record_property):
    watch(writers, whole, 60, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("chunks", [0, 1, 2, 3] * 2)
def test_a_second_writer_is_refused_at_any_time(writers, whole, chunks, record_property):
    refused(writers, whole, chunks, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("holder", ["dead", "alive", "nobody"])
@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
def test_a_stale_lock_is_taken_over(writers, whole, chunks, holder, record_property):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    number = {"dead": int(dead.stdout), "alive": os.getpid(), "nobody": None}[holder]
    taken_over(writers, whole, chunks, number, record_property)


@pytest.mark.faults
def test_a_thousand_reads_see_committed_chunks_only(writers, whole, record_property):
    watch(writers, whole, 1000, record_property)
