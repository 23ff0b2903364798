"""What Ctrl-C and SIGTERM do to a command: the same clean end, once."""

from __future__ import annotations

import signal
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_IMPATIENCE = (
    1.0  # seconds; who presses Ctrl-C three times at once wants one end, who comes again later wants it now
)


class Terminated(KeyboardInterrupt):
    """SIGTERM, raised where Ctrl-C would raise KeyboardInterrupt, so that both clean up alike."""


class Interrupts:
    """Handles both signals by raising, but not again while what the last one raised is likely on its way."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._raised: KeyboardInterrupt | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        now = time.monotonic()
        if now - self._last >= _IMPATIENCE:
            self._last = now
            self._raised = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
            raise self._raised

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Raise the interrupt again where a library inside has replaced it by an error that says so, as DuckDB does."""
        try:
            yield
        except Exception as error:
            if self._raised is None or "interrupt" not in str(error).lower():
                raise
            raise self._raised from error


@contextmanager
def signals_as_interrupts() -> Iterator[Interrupts]:
    """Let Ctrl-C raise KeyboardInterrupt inside and SIGTERM `Terminated`, each once for several in a row.

    Afterwards they are what they were, unless the process is ending. A Ctrl-C that is ignored, as in the background of
    a shell, stays so.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    for number in _NUMBERS:
        if number == signal.SIGTERM or before[number] is signal.default_int_handler:
            signal.signal(number, interrupts)
    try:
        yield interrupts
    finally:
        for number in _NUMBERS:
            if signal.getsignal(number) is interrupts:
                signal.signal(number, before[number])


def end_undisturbed() -> None:
    """Let the process end with its own exit code: nothing is left to interrupt."""
    # an interrupt in evaluated text lets CPython end the process by SIGINT, whoever has caught it, until text is
    # evaluated again; imports do that to make named tuples, and so does this
    namedtuple("Nothing", ())
    if threading.current_thread() is threading.main_thread():
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_IGN)
