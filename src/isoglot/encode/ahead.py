"""Work done one item ahead, in a thread beside the one that uses it: tokenising while the network computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_SLICE = 8192  # texts that are prepared together, so that only few token ids are held
A = TypeVar("A")
R = TypeVar("R")
Rows = NDArray[np.int64]
Compute = Callable[[tuple[R, Rows]], NDArray[np.float32]]
InOrder = Callable[[Compute[R], Iterable[tuple[R, Rows]]], Generator[NDArray[np.float32], None, None]]


def ahead(work: Callable[[A], R], items: Sequence[A]) -> Generator[R, None, None]:
    """Yield `work(item)` for every item, in order; while one result is used, the next item is worked on.

    At most one finished result waits. An error is raised where the result would have come, after all results before
    it. Once the generator has ended, raised or been closed, its thread has ended too; a single item needs none.
    """
    if len(items) < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(1, "isoglot-ahead") as thread:
        coming = thread.submit(work, items[0])
        for item in items[1:]:
            result = coming.result()
            coming = thread.submit(work, item)
            yield result
        yield coming.result()


def one_by_one(work: Callable[[A], R], items: Iterable[A]) -> Generator[R, None, None]:
    """Yield `work(item)` for every item, in order, each when it is asked for."""
    yield from map(work, items)


def arrays(
    lists: Sequence[Sequence[str]],
    prepare: Callable[[Sequence[str]], R],
    cut: Callable[[R], Iterable[Rows]],
    compute: Compute[R],
    width: int,
    in_order: InOrder[R] = one_by_one,
    done: Callable[[int], None] = lambda _: None,
) -> Iterator[NDArray[np.float32]]:
    """Give one array per list of texts, float32 [len(list), width]; the next texts are prepared ahead.

    Long lists go through in slices. The bytes of an array depend on its own list alone.

    Args:
        lists: texts.
        prepare: tokenises some texts, in the thread.
        cut: gives the batches of prepared texts: their row numbers, counted from 0, each row once.
        compute: gives the vectors of a batch.
        width: of a vector.
        in_order: does `compute` for all batches and gives the results in their order; it may compute batches of
            the lists to come before the present one is taken.
        done: told how many texts a batch had, once it is computed.
    """
    slices = [texts[start : start + _SLICE] for texts in lists for start in _starts(texts)]
    places: deque[Rows] = deque()  # of the batches that are computed but not yet in their array

    def batches(prepared: Iterator[R]) -> Iterator[tuple[R, Rows]]:
        for texts in lists:
            for start in _starts(texts):
                item = next(prepared)
                for rows in cut(item):
                    places.append(start + rows)
                    yield item, rows

    with (
        closing(ahead(prepare, slices)) as prepared,
        closing(in_order(compute, batches(prepared))) as vectors,
    ):
        for texts in lists:
            result = np.empty((len(texts), width), np.float32)
            left = len(texts)
            while left:
                batch = next(vectors)
                rows = places.popleft()
                result[rows] = batch
                left -= len(rows)
                done(len(rows))
            yield result


def _starts(texts: Sequence[str]) -> range:
    return range(0, len(texts), _SLICE)
