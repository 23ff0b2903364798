"""The processes that train one student: how they meet, add up what each computed, and notice that one is gone.

torchrun starts them and tells each its number through environment variables; without it a process is alone. They
meet through torchrun's key-value store, where each leaves a sign of life every few seconds, so that a process may
wait for hours for one that works, and only for `timeout_seconds` for one that hangs.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from isoglot.errors import IsoglotError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_POLL_SECONDS = 0.02
_NEXT = "Run the same command again: it goes on from the last checkpoint."


@dataclass(frozen=True)
class Team:
    """All processes of a run; as it stands, one process alone.

    Attributes:
        number: of this process, from 0; the first one writes, scores and decides.
        size: how many there are.
    """

    number: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.number == 0

    def own(self, items: Sequence[T]) -> Sequence[T]:
        """Give this process's share: every `size`-th item, from `number` on."""
        return items[self.number :: self.size]

    def meet(self) -> None:
        """Wait until every process has come this far; a process alone does not wait."""

    def add(self, tensor: Tensor) -> None:
        """Replace a tensor, in place, by its sum over the processes; the same bits everywhere."""

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Do something in one process after another, the first one first; then all go on together."""
        for _ in range(self.number):
            self.meet()
        yield
        for _ in range(self.size - self.number):
            self.meet()


ALONE = Team()


class KeyValueStore(Protocol):
    """What is used of torchrun's store."""

    def set(self, key: str, value: str, /) -> None:
        """Set a value."""

    def check(self, keys: list[str], /) -> bool:
        """Tell whether all keys are set."""

    def add(self, key: str, amount: int, /) -> int:
        """Add to a number and give the sum."""


@dataclass(frozen=True)
class _Group(Team):
    """Several processes.

    Attributes:
        store: torchrun's.
        timeout_seconds: after which a process without a sign of life counts as lost.
        meetings: how often they have met.
    """

    store: KeyValueStore = field(kw_only=True)
    timeout_seconds: float = field(kw_only=True)
    meetings: list[int] = field(default_factory=list, kw_only=True)

    def meet(self) -> None:
        """Wait until every process has come this far.

        Raises:
            IsoglotError: one of them shows no life any more.
        """
        name = f"meeting {len(self.meetings)}"
        self.meetings.append(0)
        with self._explaining_loss():
            self.store.set(f"{name}, process {self.number}", "there")
            for other in range(self.size):
                self._wait_for(other, f"{name}, process {other}")

    def add(self, tensor: Tensor) -> None:
        """Replace a tensor, in place, by its sum over the processes.

        Raises:
            IsoglotError: one of them is gone, or computes for longer than `timeout_seconds`.
        """
        import torch.distributed

        with self._explaining_loss():
            torch.distributed.all_reduce(tensor)

    def show_life(self, over: threading.Event) -> None:
        """Leave a sign of life every so often until the work is over; who waits notices that the store is gone."""
        with suppress(RuntimeError):
            while not over.wait(min(5.0, self.timeout_seconds / 5)):
                self.store.add(_sign(self.number), 1)

    def _wait_for(self, other: int, key: str) -> None:
        """Wait for a key of another process as long as that one shows life."""
        last, since = -1, time.monotonic()
        while not self.store.check([key]):
            seen = self.store.add(_sign(other), 0)
            if seen != last:
                last, since = seen, time.monotonic()
            if time.monotonic() - since > self.timeout_seconds:
                raise IsoglotError(
                    f"Process {other} of {self.size} showed no life for {self.timeout_seconds:g} seconds.",
                    _NEXT,
                )
            time.sleep(_POLL_SECONDS)

    @contextmanager
    def _explaining_loss(self) -> Iterator[None]:
        """Turn torch's errors of connections and timeouts into one that says what happened."""
        try:
            yield
        except RuntimeError as error:
            said = str(error).splitlines()[0]
            raise IsoglotError(
                f"Process {self.number} of {self.size} lost the others: one was killed, failed, or gave nothing for"
                f" {self.timeout_seconds:g} seconds ({said}).",
                _NEXT,
            ) from error


def size_of_team() -> int:
    """How many processes torchrun has started; 1 without it."""
    return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in _VARIABLES) else 1


def is_first() -> bool:
    """Whether this process is the one that writes and shows its result."""
    return size_of_team() == 1 or os.environ["RANK"] == "0"


@contextmanager
def joined(timeout_seconds: float) -> Iterator[Team]:
    """Join the other processes of this run, if torchrun has started any.

    Args:
        timeout_seconds: how long a process may show no life, and a step of another may take, before this one ends.

    Raises:
        IsoglotError: the others cannot be reached.
    """
    if size_of_team() == 1:
        yield ALONE
        return
    import torch
    from torch import distributed
    from torch.distributed.rendezvous import rendezvous

    timeout = timedelta(seconds=timeout_seconds)
    store, number, size = next(iter(rendezvous("env://", timeout=timeout)))
    team = _Group(number, size, store=store, timeout_seconds=timeout_seconds)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    over = threading.Event()
    with team._explaining_loss():
        distributed.init_process_group("gloo", timeout=timeout, store=store, rank=number, world_size=size)
    threading.Thread(target=team.show_life, args=(over,), daemon=True).start()
    try:
        yield team
    finally:
        over.set()
        distributed.destroy_process_group()


def _sign(number: int) -> str:
    return f"signs of life of process {number}"
