"""What a fuzzed reader is, and what counts as a broken promise."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isoglot.errors import IsoglotError


class BrokenPromiseError(AssertionError):
    """A reader returned what it must not return."""


@dataclass(frozen=True)
class Target:
    """One reader under test.

    Attributes:
        read: reads one input, for which it may use the folder; the error family of isoglot may come out of it.
        starts: whole inputs to start from.
    """

    read: Callable[[Path, bytes], None]
    starts: Callable[[], list[bytes]]


def check(target: Target, folder: Path, data: bytes) -> None:
    """Read one input; anything but isoglot's own errors comes out, and so does a broken promise."""
    with contextlib.suppress(IsoglotError):
        target.read(folder, data)
