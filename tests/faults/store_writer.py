"""A program that has loaded what embedding needs but a model, and forks processes that embed into a store.

    python -m faults.store_writer

Reads requests from stdin, one JSON object a line: {"store": FOLDER, "rows": N, "pause": SECONDS, "limit": BYTES,
"stderr": PATH}. For each it forks a process that embeds N sentences with a teacher whose vectors depend on the
sentence alone, as `isoglot embed` does but for the teacher, resting `pause` seconds before each chunk, files limited
to `limit` bytes (0: not limited). The process stops itself before it begins, so that it can be traced, and goes on
after SIGCONT. Its stderr has a line after every committed chunk. Prints its number, waits, and prints its exit code
(negative after a signal). Prints 0 once it is ready.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

import stores
from isoglot.cli.console import handled
from isoglot.config import TeacherConfig
from isoglot.progress import Silent
from isoglot.teacher.embed import embed

CHUNK_ROWS = 10
COMMITTED = "committed"
_PR_SET_PTRACER, _ANYONE = 0x59616D61, ctypes.c_ulong(-1)


class Resting(stores.Counting):
    """A teacher that takes its time."""

    def __init__(self, pause: float) -> None:
        super().__init__()
        self.pause = pause

    def encode(self, texts):
        time.sleep(self.pause)
        return super().encode(texts)


class Announcing(Silent):
    """Says on stderr when a chunk is committed."""

    @contextmanager
    def task(self, label: str, total: float | None, unit: str) -> Iterator[Announcing]:
        yield self

    def advance(self, amount: float = 1.0) -> None:
        os.write(2, f"{COMMITTED}\n".encode())

    def note(self, text: str) -> None:
        """Nothing to note."""


def settle(request: dict) -> None:
    """Take the request's stderr and limit, and stop until SIGCONT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, nothing), (1, nothing), (2, log)):
        os.dup2(source, target)
    if request["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYONE, 0, 0, 0)  # where only parents may trace
    os.kill(os.getpid(), signal.SIGSTOP)


def become(request: dict) -> None:
    """Embed, and end as the command line would."""
    settle(request)
    texts = [f"sentence {number}" for number in range(request["rows"])]
    config = TeacherConfig(model="resting", chunk_rows=CHUNK_ROWS)
    code = 0
    try:
        with handled():
            embed(texts, Resting(request["pause"]), config, Path(request["store"]), Announcing())
    except typer.Exit as leaving:
        code = leaving.exit_code
    os._exit(code)


def main() -> None:
    """Serve requests until stdin ends."""
    import pyarrow  # noqa: F401
    import safetensors.numpy  # noqa: F401

    print(0, flush=True)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            become(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
