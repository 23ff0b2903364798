"""Progress reports: any room announces how far it is, only the command line shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

T = TypeVar("T")


class Task(Protocol):
    """One piece of long work with a known or unknown total."""

    def advance(self, amount: float = 1.0) -> None:
        """Report that `amount` more units are done."""

    def note(self, text: str) -> None:
        """Show a short live remark beside the bar, such as the current loss."""


class Progress(Protocol):
    """Where long work reports to."""

    def task(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        """Open a task of `total` units (None when unknown)."""

    def stage(self, name: str, summary: str) -> None:
        """Say that a stage is over: what was done and how much; who shows it adds the time it took."""


class _SilentTask:
    def advance(self, amount: float = 1.0) -> None:
        """Report nothing."""

    def note(self, text: str) -> None:
        """Report nothing."""


class Silent:
    """The default: reports nothing, so that the library stays quiet inside other programs."""

    def task(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        """Open a task that reports nothing."""
        return nullcontext(_SilentTask())

    def stage(self, name: str, summary: str) -> None:
        """Report nothing."""


SILENT = Silent()


def counted(items: Iterable[T], task: Task) -> Iterator[T]:
    """Yield `items`, advancing `task` by one after each."""
    for item in items:
        yield item
        task.advance()
