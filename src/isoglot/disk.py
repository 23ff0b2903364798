"""Writing to disk: single files whole or not at all, and a full disk explained."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isoglot.errors import IsoglotError

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
PARTIAL = ".partial"  # ends the name of whatever is still being written


def sync(path: Path) -> None:
    """Flush a file or a folder to disk; after a folder, the names in it survive a power cut too."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that its name only ever holds the old or the whole new content."""
    content = data.encode() if isinstance(data, str) else data
    with written_whole(path, len(content)) as temporary:
        temporary.write_bytes(content)


@contextmanager
def written_whole(path: Path, needed: int | None = None) -> Iterator[Path]:
    """Give a name to write a long file under; it takes the name `path` on success and vanishes on failure.

    Args:
        path: the final name.
        needed: length of the file in bytes, for the message of a full disk.

    Raises:
        IsoglotError: the disk is full or refuses to write.
    """
    temporary = path.with_name(path.name + PARTIAL)
    try:
        with explaining_full_disk(path, needed):
            yield temporary
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def explaining_full_disk(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turn a full or broken disk under `path` into an error that says what to do; `needed` are bytes."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.errno not in _DISK_ERRORS:
            raise
        free = shutil.disk_usage(_existing_parent(path)).free
        size = "" if needed is None else f" ({needed} bytes)"
        raise IsoglotError(
            f"Writing {path}{size} failed: {error.strerror} ({free / 2**20:.0f} MiB free there).",
            "Free some space or choose another --out; finished stages are kept and the next run continues.",
        ) from error


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.exists())
