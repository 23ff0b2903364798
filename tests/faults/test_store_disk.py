"""R9 and R10: a disk that is full, or that fails, while a store is written or read."""

import re
import shutil

import pytest

from faults.store_rig import counted, differences, needs_strace, problems_of
from isoglot.teacher.store import Store

FULL = (
    "R9 disk full while a store is written",
    "exit 1, path and bytes named, no half file; resumed, the same bytes",
)
BROKEN = (
    "R10 I/O error on fsync or read of a store",
    "exit 1, file named, never taken for durable; resumed, the same bytes",
)

pytestmark = needs_strace


@pytest.fixture(scope="module")
def whole(writer):
    """The store of an undisturbed pass, its files in the order of writing, and how often it made each call."""
    ended = writer.run(writer.folder / "whole")
    store = writer.folder / "whole"
    shards = [f"shards/{entry.chunk}.safetensors" for entry in Store.open(store).entries.values()]
    return store, ["store.json", *shards, "manifest.sha256"], counted(ended.calls)


def check(writer, whole, ended, said, row, record_property):
    """What the fault left is whole; the pass goes on without the fault to the same bytes."""
    store = writer.folder / "hit"
    problems = problems_of(store, whole[0], ended.committed)
    problems += [f"{path} is half a file" for path in store.rglob("*.partial")]
    if ended.code != 1 or not re.search(said, ended.said) or "Traceback" in ended.said:
        problems.append(f"it ended with {ended.code} instead of {said!r}: {ended.said}")
    again = writer.run(store, calls="")
    problems += differences(store, whole[0]) if again.code == 0 else [f"resumed: {again.code} {again.said}"]
    shutil.rmtree(store)
    record_property("fault", (*row, not problems))
    assert not problems, "\n".join(problems)


def spread(times, count):
    """So many places from 1 to `times`, spread over all."""
    return [1 + number * (times - 1) // (count - 1) for number in range(count)]


def full_file(writer, whole, number, record_property):
    name = whole[1][number]
    store = writer.folder / "hit"
    fault = "inject=write:error=ENOSPC"
    ended = writer.run(store, fault, str(store / f"{name}.partial"), calls="write")
    said = rf"Writing .*{name} \(\d+ bytes\) failed: No space left on device \(\d+ MiB free there\)"
    check(writer, whole, ended, said, FULL, record_property)


def full_manifest(writer, whole, place, record_property):
    index = spread(whole[2]["pwrite64"], 4)[place]
    ended = writer.run(writer.folder / "hit", f"inject=pwrite64:error=ENOSPC:when={index}+", calls="pwrite64")
    check(writer, whole, ended, r"manifest\.sqlite: .*(full|disk)", FULL, record_property)


def broken_fsync(writer, whole, number, record_property):
    name = whole[1][number]
    store = writer.folder / "hit"
    ended = writer.run(store, "inject=fsync:error=EIO", str(store / f"{name}.partial"), calls="fsync,rename")
    assert not any("rename(" in call for call in ended.calls), "a file that could not be synced was published"
    said = rf"Writing .*{name} \(\d+ bytes\) failed: Input/output error"
    check(writer, whole, ended, said, BROKEN, record_property)


def broken_manifest(writer, whole, index, record_property):
    """SQLite's log is what makes a commit durable; tidying it up afterwards may fail without harm."""
    store = writer.folder / "hit"
    log = str(store / "manifest.sqlite-wal")
    ended = writer.run(store, f"inject=fdatasync:error=EIO:when={index}", log, calls="fdatasync")
    check(writer, whole, ended, r"manifest\.sqlite: disk I/O error", BROKEN, record_property)


def broken_read(writer, whole, name, record_property):
    store = writer.folder / "hit"
    shutil.copytree(whole[0], store)
    fault = f"inject={'pread64' if name.endswith('sqlite') else 'read'}:error=EIO"
    ended = writer.run(store, fault, str(store / name), calls="read,pread64")
    check(writer, whole, ended, "Input/output error|disk I/O error", BROKEN, record_property)


def test_a_full_disk_is_said_and_survived(writer, whole, record_property):
    full_file(writer, whole, 2, record_property)
    full_manifest(writer, whole, 2, record_property)


def test_a_failing_disk_is_said_and_survived(writer, whole, record_property):
    broken_fsync(writer, whole, 2, record_property)
    broken_read(writer, whole, "store.json", record_property)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(6))
def test_a_disk_full_at_any_file_of_a_store(writer, whole, number, record_property):
    full_file(writer, whole, number, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("place", range(4))
def test_a_disk_full_at_the_manifest(writer, whole, place, record_property):
    full_manifest(writer, whole, place, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("limit", [2000, 12000])
def test_files_that_may_not_grow(writer, whole, limit, record_property):
    ended = writer.run(writer.folder / "hit", calls="", limit=limit)
    check(writer, whole, ended, "(too large|full|disk)", FULL, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(6))
def test_an_fsync_that_fails_at_any_file_of_a_store(writer, whole, number, record_property):
    broken_fsync(writer, whole, number, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("index", [2, 5, 9, 12])  # schema, plan, and two shards
def test_an_fsync_that_fails_at_the_manifest(writer, whole, index, record_property):
    broken_manifest(writer, whole, index, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("name", ["store.json", "manifest.sqlite"])
def test_a_read_that_fails(writer, whole, name, record_property):
    broken_read(writer, whole, name, record_property)
