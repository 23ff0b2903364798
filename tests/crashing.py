"""Work for worker processes that ends badly on purpose; importable by them."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from isoglot.errors import IsoglotError


def load(how: str) -> Callable[[int], tuple[int, int]]:
    """Give work that squares a number and names its process, and that ends in the way `how` at the number 5."""
    if how == "while loading":
        os._exit(3)

    def work(number: int) -> tuple[int, int]:
        if number == 5:
            BAD_ENDS[how]()
        return number * number, os.getpid()

    return work


def starve(pipe: Connection, load: Callable[[], Callable], threads: int) -> None:
    """Be a worker of `isoglot.scale.pool` with too little address space for torch."""
    from isoglot.scale.pool import _serve

    resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
    _serve(pipe, load, threads)


def load_slow_then_dead() -> Callable[[int], None]:
    """Give work that takes ten minutes for the number 4 and dies at 5."""
    return lambda number: time.sleep(600) if number == 4 else os._exit(9)


def _exhaust_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, used + 2**27))
    hoard = []
    while True:
        hoard.append(bytearray(2**20))


def _refuse() -> None:
    raise IsoglotError("the teacher is not at home", "ring twice")


def _bug() -> None:
    raise ZeroDivisionError("a bug")


BAD_ENDS = {
    "never": lambda: None,
    "exit": lambda: os._exit(9),
    "segmentation fault": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": _exhaust_memory,
    "refusal": _refuse,
    "bug": _bug,
    "slow": lambda: time.sleep(600),
}
