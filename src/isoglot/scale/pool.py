"""Several processes on one machine do the chunks of a plan; results come back in the order of the plan.

Every worker has a pipe of its own, which ends with its process: however a worker dies (a crash, the kernel's
out-of-memory killer, `kill -9`), its pipe says so at once, and nothing waits for a result that cannot come.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar, cast

from isoglot.errors import IsoglotError
from isoglot.memory import explaining_full_memory
from isoglot.scale.plan import Chunk

A = TypeVar("A")
R = TypeVar("R")
_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True)
class Pool(Generic[A, R]):
    """How to do a plan's chunks in several processes.

    Attributes:
        workers: processes.
        load: called once in every worker: gives the function that turns a chunk's argument into its result. It
            travels to the worker, so it is a function of a module, or a `functools.partial` of one.
    """

    workers: int
    load: Callable[[], Callable[[A], R]]


@dataclass
class _Worker(Generic[A]):
    """A process and our end of its pipe."""

    process: SpawnProcess
    pipe: Connection
    chunk: Chunk | None = None

    def give(self, chunk: Chunk, argument: A) -> None:
        """Hand over a chunk."""
        self.chunk = chunk
        try:
            self.pipe.send(argument)
        except OSError as error:
            raise self.died() from error

    def take(self) -> Any:  # noqa: ANN401  whatever the work gives
        """Wait for the result of the chunk in work."""
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise self.died() from error
        if kind == "error":
            problem, next_step = content
            raise IsoglotError(problem, next_step)
        self.chunk = None
        return content

    def died(self) -> IsoglotError:
        """Say how the process ended."""
        self.process.join(_GOODBYE_SECONDS)
        code = self.process.exitcode
        how = (
            f"was killed by {signal.Signals(-code).name}"
            if code and code < 0
            else f"ended with exit code {code}"
        )
        return IsoglotError(
            f"Worker process {self.process.pid} {how} while it worked on chunk {self.chunk and self.chunk.id}.",
            "Finished chunks are kept: run the same command again, with fewer --workers if memory was short.",
        )


def run_in_processes(
    chunks: Iterable[Chunk], argument: Callable[[Chunk], A], pool: Pool[A, R]
) -> Iterator[tuple[Chunk, R]]:
    """Do chunks in several processes; gives the same pairs in the same order as one process would.

    Processor threads are shared out among the workers. When the caller stops early, the workers are ended.

    Args:
        chunks: what is to do.
        argument: what a worker needs to know of a chunk.
        pool: how many workers, and their work.

    Raises:
        IsoglotError: a worker died, or its work failed.
    """
    waiting = iter(chunks)
    with _workers(pool) as workers:
        busy: deque[_Worker[A]] = deque()
        for worker, chunk in zip(workers, waiting, strict=False):
            worker.give(chunk, argument(chunk))
            busy.append(worker)
        while busy:
            worker = busy.popleft()
            finished = worker.chunk
            assert finished is not None  # noqa: S101  busy workers have one
            _wait(worker, busy)
            result = worker.take()
            following = next(waiting, None)
            if following is not None:
                worker.give(following, argument(following))
                busy.append(worker)
            yield finished, result


def _wait(worker: _Worker[A], others: Iterable[_Worker[A]]) -> None:
    """Wait until a worker has an answer; another one's death is not left until its turn comes.

    Raises:
        IsoglotError: another worker died, or its work failed.
    """
    sentinels = {other.process.sentinel: other for other in others}
    while worker.pipe not in (ready := wait([worker.pipe, *sentinels])):
        for sentinel in ready:
            other = sentinels[cast("int", sentinel)]
            if other.process.exitcode == 0:  # it ended by itself, after telling why
                other.take()
            raise other.died()


@contextmanager
def _workers(pool: Pool[A, R]) -> Iterator[list[_Worker[A]]]:
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    threads = max(1, (os.cpu_count() or 1) // pool.workers)
    workers: list[_Worker[A]] = []
    try:
        for _ in range(pool.workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, pool.load, threads), daemon=True)
            process.start()
            theirs.close()
            workers.append(_Worker(process, ours))
        yield workers
    finally:
        for worker in workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join(_GOODBYE_SECONDS)
            worker.process.kill()
            worker.process.join()


def _serve(pipe: Connection, load: Callable[[], Callable[[Any], Any]], threads: int) -> None:
    """Be a worker: answer every argument with its result until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent ends us
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    try:
        with explaining_full_memory(f"in worker process {os.getpid()}"):
            work = load()
            while True:
                pipe.send(("result", work(pipe.recv())))
    except IsoglotError as error:
        pipe.send(("error", (error.problem, error.next_step)))
    except (EOFError, BrokenPipeError):
        pass  # the parent is gone
