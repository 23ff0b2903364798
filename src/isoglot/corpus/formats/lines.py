"""Lines of a text file, plain or compressed. Only a line feed ends a line, so that sides never shift."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.packed import open_binary
from isoglot.errors import DamagedError, RequestError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LONGEST_LINE = 1 << 24  # bytes
_BLOCK = 1 << 17


def read_lines(path: File) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their line feed; a byte order mark at its start is removed.

    Carriage returns, U+2028 and the like are characters, not line ends. Bytes that are not UTF-8 become lone
    surrogates: the line keeps its place, and the filter "not Unicode" drops and counts it.

    Raises:
        RequestError: the file is UTF-16.
        DamagedError: the compressed file is cut off or broken, or a line has more than 16 MiB.
    """
    number, left = 1, b""  # of the line that has begun
    with open_binary(path) as file:
        for place, block in enumerate(iter(lambda: file.read(_BLOCK), b"")):
            block = block if place else _without_mark(block, path)
            end = block.rfind(b"\n") + 1
            if len(left) + (block.find(b"\n") if end else len(block)) >= LONGEST_LINE:
                raise DamagedError(f"{path}, line {number} has more than 16 MiB.", "Is this a text file?")
            if not end:
                left += block
                continue
            # a whole block is decoded at once, four times faster; no broken sequence goes beyond a line feed
            lines = (left + block[: end - 1]).decode("utf-8", "surrogateescape").split("\n")
            yield from lines
            number, left = number + len(lines), block[end:]
    if left:
        yield left.decode("utf-8", "surrogateescape")


def _without_mark(start: bytes, path: File) -> bytes:
    if start.startswith(_UTF16):
        raise RequestError(f"{path} is UTF-16 text.", f"Convert it: iconv -f UTF-16 -t UTF-8 {path.name}")
    return start.removeprefix(codecs.BOM_UTF8)
