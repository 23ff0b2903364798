"""Lines of a text file, plain or compressed. Only a line feed ends a line, so that sides never shift."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from isoglot.errors import DamagedError, RequestError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their line feed; a byte order mark at its start is removed.

    Carriage returns, U+2028 and the like are characters, not line ends. Bytes that are not UTF-8 become lone
    surrogates: the line keeps its place, and the filter "not Unicode" drops and counts it.

    Raises:
        RequestError: the file is UTF-16.
        DamagedError: the compressed file is cut off or broken; nothing of it may pass for a shorter file.
    """
    with open_binary(path) as file:
        for number, line in enumerate(_guarded(file, path)):
            if number == 0:
                line = _without_mark(line, path)
            yield line.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, unpacking it when its name ends in `.gz`.

    Raises:
        DamagedError: a compressed file of no bytes at all.
    """
    if path.suffix != ".gz":
        return path.open("rb")
    if path.stat().st_size == 0:
        raise DamagedError(f"{path} is an empty file, not gzip data.", "Fetch or write it again.")
    return cast(IO[bytes], gzip.open(path, "rb"))


def _guarded(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DamagedError(
            f"{path} is cut off or damaged ({error}).", "Fetch or write it again; nothing of it was used."
        ) from error


def _without_mark(line: bytes, path: Path) -> bytes:
    if line.startswith(_UTF16):
        raise RequestError(f"{path} is UTF-16 text.", f"Convert it: iconv -f UTF-16 -t UTF-8 {path.name}")
    return line.removeprefix(codecs.BOM_UTF8)
