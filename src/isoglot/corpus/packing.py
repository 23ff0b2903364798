"""Text files for writing, packed as their names say; equal text gives equal bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from isoglot.disk import written_whole


@contextmanager
def create_text(path: Path) -> Iterator[IO[str]]:
    """Open a UTF-8 file for writing that takes its name only when it is whole: plain, .gz, .bz2, .xz or .zst.

    Raises:
        IsoglotError: the disk is full or refuses to write.
    """
    with (
        written_whole(path) as temporary,
        temporary.open("wb") as raw,
        _packed(raw, path.suffix) as binary,
        io.TextIOWrapper(binary, "utf-8", newline="\n") as text,
    ):
        yield text


def _packed(raw: IO[bytes], suffix: str) -> IO[bytes]:
    import zstandard

    packed: Any
    match suffix:
        case ".gz":
            packed = gzip.GzipFile("", "wb", 6, raw, mtime=0)  # no name and no time in the header
        case ".bz2":
            packed = bz2.BZ2File(raw, "wb")
        case ".xz":
            packed = lzma.LZMAFile(raw, "wb")  # noqa: SIM115  the caller closes it
        case ".zst":
            packed = zstandard.ZstdCompressor(write_checksum=True).stream_writer(raw, closefd=False)
        case _:
            packed = raw
    return cast(IO[bytes], packed)
