"""Work done one item ahead, in a thread beside the one that uses it: tokenising while the network computes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Batches = Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]  # row numbers, and their vectors
_SLICE = 8192  # texts that are prepared together, so that only few token ids are held
A = TypeVar("A")
R = TypeVar("R")


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


def arrays(
    lists: Sequence[Sequence[str]],
    prepare: Callable[[Sequence[str]], R],
    compute: Callable[[R], Batches],
    width: int,
) -> Iterator[NDArray[np.float32]]:
    """Give one array per list of texts, float32 [len(list), width]; the next texts are prepared ahead.

    Long lists go through in slices. The bytes of an array depend on its own list alone.

    Args:
        lists: texts.
        prepare: tokenises some texts, in the thread.
        compute: gives the vectors of prepared texts, numbered from 0, in batches.
        width: of a vector.
    """
    slices = [texts[start : start + _SLICE] for texts in lists for start in _starts(texts)]
    with closing(ahead(prepare, slices)) as prepared:
        for texts in lists:
            result = np.empty((len(texts), width), np.float32)
            for start in _starts(texts):
                for rows, vectors in compute(next(prepared)):
                    result[start + rows] = vectors
            yield result


def _starts(texts: Sequence[str]) -> range:
    return range(0, len(texts), _SLICE)
