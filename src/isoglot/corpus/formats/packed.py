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
_CHUNK = 1 << 14  # packed bytes read at a time
_CHUNK_ZST = 1 << 10  # its decompressor knows no limit, and 4 bytes can unpack to 128 KiB
_BLOCK = 1 << 20  # unpacked bytes that the others give at a time
_MEMORY = 1 << 28  # bytes an xz file may ask for; the command xz asks for 65 MiB at its highest level


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
        self._chunks, self._left = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  any writable buffer; typeshed names it in stubs only
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)  # slices of it are no copies
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
    while piece := file.read(_CHUNK_ZST if suffix == ".zst" else _CHUNK):
        place += len(piece)
        while piece:
            if machine.eof:  # another member or frame follows, or zeros that fill a block
                machine = new() if piece.strip(b"\0") else machine
                if machine.eof:
                    break
            try:
                yield from _blocks(machine, piece)
            except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError) as error:
                raise _damaged(where, f"is damaged near byte {place} ({error})") from error
            piece = machine.unused_data if machine.eof else b""
    if not machine.eof:
        raise _damaged(where, f"is cut off: it ends at byte {place}, before the end mark of its data")


def _blocks(machine: Any, piece: bytes) -> Iterator[bytes]:  # noqa: ANN401  any of `_decompressor`
    block = machine.decompress(piece, _BLOCK)
    while block:
        yield block
        block = b"" if machine.eof else machine.decompress(b"", _BLOCK)


def _decompressor(suffix: str) -> Callable[[], Any]:
    match suffix:
        case ".gz":
            return _Gzip
        case ".bz2":
            return bz2.BZ2Decompressor
        case ".xz":
            return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)
        case _:
            return _Zstandard


class _Gzip:
    """zlib with the interface of the other two, which keep what they have not used themselves."""

    def __init__(self) -> None:
        self._machine = zlib.decompressobj(wbits=31)  # a gzip header and its checksum

    def decompress(self, piece: bytes, most: int) -> bytes:
        return self._machine.decompress(self._machine.unconsumed_tail + piece, most)

    @property
    def eof(self) -> bool:
        return self._machine.eof

    @property
    def unused_data(self) -> bytes:
        return self._machine.unused_data


class _Zstandard:
    """The same for Zstandard, whose answer has no limit: who calls it gives it little."""

    def __init__(self) -> None:
        import zstandard

        self._machine = zstandard.ZstdDecompressor().decompressobj()

    def decompress(self, piece: bytes, most: int) -> bytes:
        return self._machine.decompress(piece)

    @property
    def eof(self) -> bool:
        return self._machine.eof

    @property
    def unused_data(self) -> bytes:
        return self._machine.unused_data


def _damaged(path: str, how: str) -> DamagedError:
    return DamagedError(f"{path} {how}.", "Fetch or write it again; nothing of it was used.")
