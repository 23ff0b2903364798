"""Tar archives and Debian packages as streams: one member after the other, nothing is ever extracted."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from isoglot.corpus.formats.packed import SUFFIXES, as_file, unpack
from isoglot.errors import DamagedError
from isoglot.zips import MEMBERS_CAP, RATIO_CAP, SLACK, STREAM_CAP, require_safe_names

_CHUNK = 1 << 16
_HEADER_CAP = 1 << 20  # tarfile holds an extended header in memory, whatever size it says it has
_EXTENDED = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_AR_MAGIC, _AR_HEADER = b"!<arch>\n", 60


def tar_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and content of each plain file of a `.tar`, compressed or not, or of the data of a `.deb`.

    A content can be read until the next one is asked for. Links, devices and folders are left out, so nothing
    leads elsewhere. Asked for a member after the last, it reads on to the archive's own end mark and checksum.

    Raises:
        DamagedError: it is broken or cut off, a bomb, or has too many members, two of one name, or one whose
            name leads out of it.
    """
    seen, names = 0, set[str]()
    with path.open("rb") as file, _named_errors(path):
        content = as_file(_bounded(_tar_content(path, file), path))
        with tarfile.open(fileobj=content, mode="r|", tarinfo=_Header) as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep them all, and memory grow
                seen += 1
                if seen > MEMBERS_CAP:
                    raise DamagedError(f"{path} has more than {MEMBERS_CAP:,} members: refused.", "Split it.")
                if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None:
                    continue
                name = member.name.removeprefix("./")
                require_safe_names([name, *({name} & names)], path)
                names.add(name)
                yield name, as_file(_member_chunks(archive, member, path))
        while content.read(_CHUNK):
            pass


class _Header(tarfile.TarInfo):
    """A header that is whole: `tarfile` takes a broken or missing one for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not buf.strip(b"\0"):
                raise  # the end mark
            raise tarfile.ReadError(f"a header is broken or cut off: {error}") from error
        if header.type in _EXTENDED and not 0 <= header.size <= _HEADER_CAP:
            raise tarfile.ReadError(f"an extended header says it has {header.size} bytes")
        return header


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise DamagedError(f"{path} is not a readable archive ({error}).", "Fetch it again.") from error


def _member_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> Iterator[bytes]:
    with _named_errors(path):
        file = archive.extractfile(member)
        if file is not None:  # only folders and links have none
            yield from iter(lambda: file.read(_CHUNK), b"")


def _bounded(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    limit = min(STREAM_CAP, RATIO_CAP * max(path.stat().st_size, SLACK))
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise DamagedError(f"{path} unpacks to more than {limit} bytes: refused.", "Is it what it says?")
        yield chunk


def _tar_content(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    name, suffix = path.name.lower(), path.suffix.lower()
    if suffix == ".deb":
        name, size = _ar_member(path, file, "data.tar")
        file = as_file(_slice(file, size, path))
        suffix = name.removeprefix("data.tar")
    suffix = ".gz" if suffix == ".tgz" else suffix
    if suffix in SUFFIXES:
        return unpack(file, suffix, f"{path}: {name}")
    return iter(lambda: file.read(_CHUNK), b"")


def _ar_member(path: Path, file: IO[bytes], start: str) -> tuple[str, int]:
    """Go to the first member of an `ar` archive whose name starts so; return its name and size in bytes."""
    magic = file.read(len(_AR_MAGIC))
    while magic == _AR_MAGIC and len(header := file.read(_AR_HEADER)) == _AR_HEADER:
        name, size = header[:16].decode("latin-1").strip().removesuffix("/"), int(header[48:58])
        if size < 0:
            raise ValueError(f"member {name!r} has {size} bytes")
        if name.startswith(start):
            return name, size
        file.seek(size + size % 2, 1)
    raise DamagedError(f"{path} has no {start}: it is not a whole Debian package.", "Fetch it again.")


def _slice(file: IO[bytes], size: int, path: Path) -> Iterator[bytes]:
    while size > 0:
        piece = file.read(min(size, _CHUNK))
        if not piece:
            raise DamagedError(f"{path} is cut off: {size} bytes are missing.", "Fetch it again.")
        size -= len(piece)
        yield piece
