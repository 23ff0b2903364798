"""A full memory explained: Python, numpy, torch and the system each report it in a way of their own."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from isoglot.errors import IsoglotError

_FULL = re.compile(
    r"can.?t allocate memory|not enough memory|out of memory|bad_alloc"
    r"|could not (create|execute) a primitive$"  # all that oneDNN says
    r"|can.?t start new thread",  # none is left for its stack
    re.IGNORECASE,
)
KEPT = (
    "Finished stages are kept: run the same command again with more memory, or with a smaller model, fewer --workers"
    " or a smaller train.batch_tokens."
)


@contextmanager
def explaining_full_memory(where: str = "", next_step: str = KEPT) -> Iterator[None]:
    """Turn a full memory, on whatever device, into an error that says what to do.

    Args:
        where: of the work inside, for the message: "in training".
        next_step: what the user can do.

    Raises:
        IsoglotError: memory ran out inside.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if not _is_full_memory(error):
            raise
        said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise IsoglotError(f"Memory ran out{where and ' '}{where}: {said}.", next_step) from error


def _is_full_memory(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or bool(_FULL.search(str(error)))
