"""Lanes: threads on a processor that compute one batch each, in place of sharing out every operation of one batch.

An operation that is shared out is over when its slowest part is, and those between the products are too small to share.
With a batch in each thread no processor waits for another. What a batch gives is the same: which lane computes it
changes nothing. See docs/experiments.md.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from torch import nn

A = TypeVar("A")
R = TypeVar("R")
Ready = Callable[[], AbstractContextManager[object]]

_AHEAD = 2  # batches given to a lane, so that it finds the next one when one is done
_KEEPS_STATE = ("dynamic", "longrope")  # positions that a forward pass of transformers rewrites
_only_one = threading.Lock()  # torch has one number of threads for all of its products


def can_share(backbone: nn.Module) -> bool:
    """Tell whether several threads may run a network at once: on a processor, and no pass changes the network."""
    on_processor = next(backbone.parameters()).device.type == "cpu"
    kinds = [str(getattr(part, "rope_type", "")) for part in backbone.modules()]
    return on_processor and not any(word in kind for kind in kinds for word in _KEEPS_STATE)


def in_turn(work: Callable[[A], R], items: Iterable[A], ready: Ready) -> Generator[R, None, None]:
    """Yield `work(item)` for every item, in order, in this thread; torch's modes are the caller's own in between."""
    for item in items:
        with ready():
            result = work(item)
        yield result


def in_lanes(work: Callable[[A], R], items: Iterable[A], ready: Ready) -> Generator[R, None, None]:
    """Yield `work(item)` for every item, in order; as many at once as torch has threads, which they share evenly.

    An error is raised where the result would have come. Once the generator has ended, raised or been closed, its
    threads have ended too. A single item, and the items of whoever comes while another has lanes, go `in_turn`.

    Args:
        work: what to do; torch's modes (gradient, autocast) are those of `ready`, not the caller's.
        items: what to do it to; read as results are taken, at most `_AHEAD` a lane ahead of them.
        ready: entered around the work.
    """
    threads = torch.get_num_threads()
    waiting = iter(items)
    first = list(itertools.islice(waiting, max(2, threads)))
    if len(first) < 2 or not _only_one.acquire(blocking=False):
        yield from in_turn(work, itertools.chain(first, waiting), ready)
        return
    try:
        lanes = min(threads, len(first))
        yield from _shared(work, itertools.chain(first, waiting), ready, lanes, threads // lanes)
    finally:
        torch.set_num_threads(threads)  # the lanes' own number has become that of this thread's products too
        torch.clear_autocast_cache()
        _only_one.release()


def _shared(
    work: Callable[[A], R], items: Iterable[A], ready: Ready, lanes: int, threads: int
) -> Generator[R, None, None]:
    """Yield `work(item)` in order, from so many lanes of so many threads each."""

    def begin() -> None:
        torch.set_num_threads(threads)
        torch.autocast_increment_nesting()  # leaving `ready` then keeps the weights that autocast has cast for all

    def run(item: A) -> R:
        with ready():
            return work(item)

    coming: deque[Future[R]] = deque()
    with ThreadPoolExecutor(lanes, "isoglot-lane", begin) as pool:
        try:
            for item in items:
                coming.append(pool.submit(run, item))
                if len(coming) >= lanes * _AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
