"""Training that is stopped on purpose: at a step, before its checkpoint, or at a look at the dev split."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import TypeVar

Seen = TypeVar("Seen")
Score = TypeVar("Score")


class StoppedError(Exception):
    """The run was stopped."""


class StopsAt:
    """A progress that ends the run after so many steps; never, where `step` is None."""

    def __init__(self, step: int | None) -> None:
        self.left = step

    @contextlib.contextmanager
    def task(self, label: str, total: float | None, unit: str) -> Iterator[StopsAt]:
        yield self

    def advance(self, amount: float = 1) -> None:
        if self.left is not None:
            self.left -= amount
            if self.left == 0:
                raise StoppedError

    def note(self, text: str) -> None:
        """Nobody reads remarks here."""

    def stage(self, name: str, summary: str) -> None:
        """Nor stages."""


def stopping_at(look: int, validate: Callable[[Seen], Score]) -> Callable[[Seen], Score]:
    """A validation that ends the run at its `look`-th call and is `validate` before."""
    looks = itertools.count(1)

    def check(student: Seen) -> Score:
        if next(looks) == look:
            raise StoppedError
        return validate(student)

    return check
