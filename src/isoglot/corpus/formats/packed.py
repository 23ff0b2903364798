"""Files as bytes, plain or compressed. A compressed file that is cut off is an error, never a shorter file."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import IO, Any, cast

from isoglot.corpus.formats.file import File
from isoglot.errors import DamagedError

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
_CHUNK = 1 << 14  # small, because one chunk of a malicious file can unpack to thousands of times its size


def open_binary(path: File) -> IO[bytes]:
    """Open a file for reading bytes, unpacking it when its name ends in one of `SUFFIXES`.

    Reading raises `DamagedError`, naming the byte, when the compressed data are broken or end before their
    end mark: whoever reads the file to its end has all of it.
    """
    if path.suffix not in SUFFIXES:
        return path.open("rb")
    return as_file(_unpack(path))


def as_file(chunks: Iterator[bytes]) -> IO[bytes]:
    """Return a buffered binary file that reads pieces of bytes as they are needed."""
    return cast(IO[bytes], io.BufferedReader(_Chunks(chunks), 1 << 17))


def plain_name(path: PurePath | File) -> str:
    """Name of a file without its compression suffix, in lower case: `Pairs.TSV.gz` -> `pairs.tsv`."""
    name = path.name.lower()
    return name.removesuffix(path.suffix.lower()) if path.suffix.lower() in SUFFIXES else name


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  any writable buffer; typeshed names it in stubs only
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _unpack(path: File) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from unpack(file, path.suffix, str(path))


def unpack(file: IO[bytes], suffix: str, where: str) -> Iterator[bytes]:
    """Yield the content piece by piece; one loop for all formats, because all decompressors say when they are done.

    Args:
        file: compressed bytes.
        suffix: one of `SUFFIXES`.
        where: names the file in errors.

    Raises:
        DamagedError: the data are broken or end before their end mark.
    """
    import zstandard

    new, place = _decompressor(suffix), 0
    machine = new()
    while piece := file.read(_CHUNK):
        place += len(piece)
        while piece:
            if machine.eof:  # another member or frame follows, or zeros that fill a block
                machine = new() if piece.strip(b"\0") else machine
                if machine.eof:
                    break
            try:
                yield machine.decompress(piece)
            except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError) as error:
                raise _damaged(where, f"is damaged near byte {place} ({error})") from error
            piece = machine.unused_data if machine.eof else b""
    if not machine.eof:
        raise _damaged(where, f"is cut off: it ends at byte {place}, before the end mark of its data")


def _decompressor(suffix: str) -> Callable[[], Any]:
    import zstandard

    match suffix:
        case ".gz":
            return lambda: zlib.decompressobj(wbits=31)  # a gzip header and its checksum
        case ".bz2":
            return bz2.BZ2Decompressor
        case ".xz":
            return lzma.LZMADecompressor
        case _:
            return lambda: zstandard.ZstdDecompressor().decompressobj()


def _damaged(path: str, how: str) -> DamagedError:
    return DamagedError(f"{path} {how}.", "Fetch or write it again; nothing of it was used.")
