"""Threads that multiply blocks of their own, instead of one product at a time shared out among all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def multiplying_alone() -> Iterator[ThreadPoolExecutor]:
    """Give as many threads as a matrix product would use, each of whose products takes one.

    So everything beside the products runs on all processors too, and no product waits for its slowest part. The
    number is what the environment says (OMP_NUM_THREADS and the like), or that of the processors.
    """
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(user_api="blas")
    threads = max((library.num_threads for library in blas.lib_controllers), default=1)
    with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        yield pool
