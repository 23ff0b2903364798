"""R1: kill -9 at every system call that changes something on disk while a store is written."""

import shutil

import pytest

from faults.store_rig import counted, differences, needs_strace, problems_of

PROMISE = "the store opens with whole chunks, nothing committed is lost; resumed, the same bytes"
FEW = 10

pytestmark = needs_strace


@pytest.fixture(scope="module")
def whole(writer):
    """The store of an undisturbed pass, and its system calls."""
    ended = writer.run(writer.folder / "whole")
    assert (ended.code, ended.committed) == (0, 4), ended.said
    return writer.folder / "whole", ended.calls


def kill(writer, whole, call, index, store):
    """Kill a pass at a system call and resume it; give broken promises."""
    ended = writer.run(store, f"inject={call}:signal=KILL:when={index}")
    problems = [] if ended.code == -9 else [f"it ended with {ended.code}: {ended.said}"]
    problems += problems_of(store, whole, ended.committed)
    before = {path.name: path.stat().st_ino for path in store.glob("shards/*.safetensors")}
    committed = {name for name in before if name.split(".")[0] in _chunks(store)}
    again = writer.run(store, calls="")
    if again.code != 0:
        return [*problems, f"resumed, it ended with {again.code}: {again.said}"]
    after = {path.name: path.stat().st_ino for path in store.glob("shards/*.safetensors")}
    problems += [f"{name} was embedded again" for name in committed if before[name] != after.get(name)]
    return problems + differences(store, whole)


def _chunks(store):
    from isoglot.teacher.store import Store

    opened = Store.open(store) if (store / "store.json").is_file() else None
    return {entry.chunk for entry in opened.entries.values()} if opened else set()


def moments(calls):
    """Every traced call of a pass, as its name and how many of that name came before, from 1."""
    return [(call, index) for call, times in counted(calls).items() for index in range(1, times + 1)]


def sweep(writer, whole, chosen, record_property):
    folder, _ = whole
    broken = []
    for call, index in chosen:
        store = writer.folder / "hit"
        problems = kill(writer, folder, call, index, store)
        record_property("fault", ("R1 kill -9 at a system call of a store's commit", PROMISE, not problems))
        broken += [f"{call} {index}: {problem}" for problem in problems]
        shutil.rmtree(store)
    assert not broken, "\n".join(broken)


def test_a_store_survives_a_kill_at_some_system_calls(writer, whole, record_property):
    every = moments(whole[1])
    sweep(writer, whole, every[:: len(every) // FEW], record_property)


@pytest.mark.faults
def test_a_store_survives_a_kill_at_every_system_call(writer, whole, record_property):
    every = moments(whole[1])
    assert len(every) >= 60
    sweep(writer, whole, every, record_property)


def test_every_published_name_is_on_disk_before_it_is_listed(whole):
    """fsync of the file, rename, fsync of the folder, and only then the commit of the manifest (fsyncgate)."""
    calls = [call.partition(" ")[2].strip() for call in whole[1]]
    renames = [n for n, call in enumerate(calls) if call.startswith("rename") and ".safetensors" in call]
    assert len(renames) == 4
    for place in renames:
        target = calls[place].split('"')[3]
        synced = max(
            n
            for n, call in enumerate(calls[:place])
            if call.startswith("fsync") and f"{target}.partial" in call
        )
        written = max(
            n
            for n, call in enumerate(calls[:place])
            if call.startswith("write") and f"{target}.partial" in call
        )
        folder = next(n for n, call in enumerate(calls) if n > place and call.startswith("fsync"))
        listed = next(n for n, call in enumerate(calls) if n > place and "manifest.sqlite-wal" in call)
        assert written < synced < place < folder < listed
        assert calls[folder].startswith("fsync(") and calls[folder].split("<")[1].startswith(
            target.rpartition("/")[0] + ">"
        )
