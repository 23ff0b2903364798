"""Lines of a text file, plain or compressed. Only a line feed ends a line, so that sides never shift."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.packed import open_binary
from isoglot.errors import DamagedError, RequestError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LONGEST_LINE = 1 << 24  # bytes


def read_lines(path: File) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their line feed; a byte order mark at its start is removed.

    Carriage returns, U+2028 and the like are characters, not line ends. Bytes that are not UTF-8 become lone
    surrogates: the line keeps its place, and the filter "not Unicode" drops and counts it.

    Raises:
        RequestError: the file is UTF-16.
        DamagedError: the compressed file is cut off or broken, or a line has more than 16 MiB.
    """
    with open_binary(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
            if number == 1:
                line = _without_mark(line, path)
            if len(line) >= LONGEST_LINE:
                raise DamagedError(f"{path}, line {number} has more than 16 MiB.", "Is this a text file?")
            yield line.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def _without_mark(line: bytes, path: File) -> bytes:
    if line.startswith(_UTF16):
        raise RequestError(f"{path} is UTF-16 text.", f"Convert it: iconv -f UTF-16 -t UTF-8 {path.name}")
    return line.removeprefix(codecs.BOM_UTF8)
