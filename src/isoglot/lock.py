"""One writer at a time: locks of the kernel on folders, which die with their process."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from isoglot.errors import IsoglotError, RequestError

_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; a second writer is refused at once, naming the first.

    The lock dies with its process, so a crash leaves nothing to clean up.

    Raises:
        RequestError: a file has that name, or the folder may not be written.
        IsoglotError: another process holds it.
    """
    with _lock_file(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise IsoglotError(
                f"{folder} is in use by {file.read().strip() or 'another process'}.",
                "Wait for it to finish, or choose another --out.",
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _lock_file(folder: Path) -> IO[str]:
    """Make the folder and open its lock."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} is a file, not a folder.", "Choose another --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / ".lock").open("a+")
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        raise RequestError(
            f"{folder} may not be written: {error.strerror}.", "Choose another --out."
        ) from error


@contextmanager
def held(scratch: Path) -> Iterator[None]:
    """Make a scratch folder and lock it, so that nobody takes it for a leftover.

    Raises:
        IsoglotError: another process holds it.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IsoglotError(
                f"Another process is writing {scratch}.", "Wait for it to finish, or choose another --out."
            ) from error
        yield
    finally:
        os.close(descriptor)
