"""Processes that run out of memory on purpose, and workers that end badly while they embed."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import crashing

_HOARD: list[bytearray] = []
_BLOCK = 2**18
ENDS = "a worker ends at"


def exhaust(_number: int, _frame: object) -> None:
    """Take all memory that is left to this process and keep it; a handler of signals, so in its main thread."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**24, used + 2**24))
    try:
        while True:
            _HOARD.append(bytearray(_BLOCK))
    except MemoryError:
        return


def serve(how: str, pipe, load, threads: int) -> None:
    """Be a worker of `isoglot.scale.pool` that ends in the way `how` at its third chunk."""
    from isoglot.scale.pool import _serve

    _serve(pipe, partial(_limping, how, load), threads)


def _limping(how: str, load: Callable) -> Callable:
    work, done = load(), []

    def one(argument):
        done.append(argument)
        if len(done) == 3:
            os.write(2, f"{ENDS} {time.time()}\n".encode())
            crashing.BAD_ENDS[how]()
        return work(argument)

    return one
