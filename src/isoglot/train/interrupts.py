"""Ctrl-C and SIGTERM between two steps: what they end is first written down, and no step is cut in half."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Held:
    """A signal that waits; nothing is held back outside the main thread, nor what was ignored before."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        main = threading.current_thread() is threading.main_thread()
        handlers = {number: signal.getsignal(number) for number in _NUMBERS if main}
        self._before = {
            number: handler
            for number, handler in handlers.items()
            if handler is not None and handler != signal.SIG_IGN
        }
        self._waiting: int | None = None
        for number in self._before:
            signal.signal(number, self._hold)

    @property
    def waits(self) -> bool:
        """Whether there is one."""
        return self._waiting is not None

    def let_go(self) -> None:
        """Do what the signal would have done when it came."""
        number, self._waiting = self._waiting, None
        if number is not None:
            signal.raise_signal(number)

    def end(self) -> None:
        """Let signals do at once what they did before; the next one too, once one waits."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hold(self, number: int, _frame: FrameType | None) -> None:
        self.end()
        self._waiting = number
        self._tell()


@contextmanager
def held_back(tell: Callable[[], None]) -> Iterator[Held]:
    """Let Ctrl-C and SIGTERM wait inside until they are let go, at the end at the latest; a second one does not wait.

    Where the work inside fails, that is what is told.

    Args:
        tell: called in the signal's handler when one begins to wait, so that whoever sent it sees that it came.
    """
    held = Held(tell)
    try:
        yield held
    finally:
        held.end()
    held.let_go()
