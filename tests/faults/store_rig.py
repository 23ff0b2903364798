"""Embedding into a store as a process that is traced and hit at a chosen system call, and what must hold after."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import stores
from faults.rig import LIMIT_SECONDS, POLL_SECONDS, Preloaded
from faults.store_writer import COMMITTED
from isoglot.artefact import digest_file
from isoglot.errors import IsoglotError
from isoglot.teacher.store import Store

ROWS = 35
TEXTS = [f"sentence {number}" for number in range(ROWS)]
CHANGING = (
    "write,pwrite64,pwritev,writev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,ftruncate,mkdir,mkdirat"
)
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code (negative after a signal), what it said, its traced calls."""

    code: int
    said: str
    calls: list[str]

    @property
    def committed(self) -> int:
        """Chunks that it said were committed."""
        return self.said.count(COMMITTED)


class Writer:
    """Forks processes that embed `rows` sentences into a store."""

    def __init__(self, folder: Path, module: str = "faults.store_writer") -> None:
        self.folder = folder
        self.server = Preloaded(module)

    @contextmanager
    def started(self, store: Path, rows: int = ROWS, pause: float = 0.0, limit: int = 0) -> Iterator[int]:
        """Start a process and give its number; it waits for SIGCONT. Whatever is left of it is killed."""
        self._log = self.folder / "stderr"
        request = {
            "store": str(store),
            "rows": rows,
            "pause": pause,
            "limit": limit,
            "stderr": str(self._log),
        }
        number = self.server.ask(request)
        _wait_for(lambda: _state(number) == "T")
        try:
            yield number
        finally:
            if self.code is None:
                os.kill(number, signal.SIGKILL)
                self.ended()

    code: int | None = None

    def go(self, number: int) -> None:
        """Let a process begin."""
        self.code = None
        os.kill(number, signal.SIGCONT)

    def said(self) -> str:
        """What the process has said so far."""
        return self._log.read_text("utf-8")

    def ended(self, calls: list[str] | None = None) -> Ended:
        """Wait for its end."""
        self.code = self.server.answer()
        return Ended(self.code, self.said(), calls or [])

    def run(self, store: Path, *faults: str, calls: str = CHANGING, **options) -> Ended:
        """Embed to the end, or to what strace does on the way (its `inject` expressions, or `-P PATH`)."""
        trace = self.folder / "trace"
        with self.started(store, **options) as number:
            self.code = None
            words = [
                word for fault in faults for word in (("-P", fault) if fault[0] == "/" else ("-e", fault))
            ]
            tracer = None
            if calls:
                command = [
                    "strace",
                    "-f",
                    "-y",
                    "-o",
                    str(trace),
                    "-e",
                    f"trace={calls}",
                    *words,
                    "-p",
                    str(number),
                ]
                tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                _wait_for(lambda: _traced(number))
            self.go(number)
            ended = self.ended()
            if tracer is not None:
                tracer.wait(LIMIT_SECONDS)
                ended = Ended(ended.code, ended.said, trace.read_text("utf-8", "replace").splitlines())
        return ended

    def close(self) -> None:
        """End the program."""
        self.server.close()


def counted(calls: list[str]) -> Counter[str]:
    """How often each system call was made."""
    return Counter(found[1] for call in calls if (found := re.match(r"\d+\s+(\w+)\(", call)))


def problems_of(store: Path, whole: Path, at_least: int = 0) -> list[str]:
    """A store that was hit opens with whole chunks only, those of the undisturbed one, and lost nothing committed."""
    if not (store / "store.json").is_file():
        return [f"{at_least} chunks are gone with the store"] if at_least else []
    try:
        opened = Store.open(store)
        problems = opened.verify()
        opened.sorted_keys()
    except IsoglotError as error:
        return [str(error)]
    wanted = {entry.chunk: entry for entry in Store.open(whole).entries.values()}
    found = list(opened.entries.values())
    problems += [f"{one.chunk} is another than undisturbed" for one in found if wanted.get(one.chunk) != one]
    if len(found) < at_least:
        problems.append(f"{len(found)} chunks are left of {at_least}")
    return problems


def differences(store: Path, whole: Path) -> list[str]:
    """A store that was finished is the undisturbed one, byte for byte, sealed, with nothing beside it."""
    problems = problems_of(store, whole, len(Store.open(whole).entries))
    found, wanted = stores.shards(store), stores.shards(whole)
    problems += [
        f"{name} differs" for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)
    ]
    if {path.name for path in store.iterdir()} != {path.name for path in whole.iterdir()}:
        problems.append(f"the folder holds {sorted(path.name for path in store.iterdir())}")
    if digest_file(store / "store.json") != digest_file(whole / "store.json"):
        problems.append("store.json differs")
    return problems


def _state(number: int) -> str:
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]


def _traced(number: int) -> bool:
    status = Path(f"/proc/{number}/status").read_text()
    return "TracerPid:\t0\n" not in status


def _wait_for(reached) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not reached():
        assert time.monotonic() < end, "the process did not get there"
        time.sleep(POLL_SECONDS)
