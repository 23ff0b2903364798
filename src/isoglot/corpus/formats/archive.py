"""Members of archives (`.zip`, `.whl`, `.deb`, `.tar`), read in place: `FILE.zip:MEMBER`."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Literal

from isoglot.corpus.formats.packed import as_file, plain_name
from isoglot.corpus.formats.tarball import tar_members
from isoglot.errors import RequestError
from isoglot.zips import member_chunks, member_names, open_zip

_ARCHIVE = re.compile(r".+\.(zip|whl|deb|tar|tgz|tar\.(gz|bz2|xz|zst))", re.I)
_ZIPS = (".zip", ".whl")
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Member:
    """A file inside an archive, read from there each time it is opened.

    Attributes:
        archive: the archive on disk.
        inner: its name in the archive.
        opener: opens it.
    """

    archive: Path
    inner: PurePosixPath
    opener: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        """Name without folders."""
        return self.inner.name

    @property
    def stem(self) -> str:
        """Name without its last suffix."""
        return self.inner.stem

    @property
    def suffix(self) -> str:
        """Last suffix with its dot."""
        return self.inner.suffix

    @property
    def parent(self) -> PurePath:
        """Its folder in the archive, below the name of the archive."""
        return PurePosixPath(self.archive.stem) / self.inner.parent

    def open(self, mode: Literal["rb"]) -> IO[bytes]:
        """Open it for reading from its start."""
        return self.opener()

    def __str__(self) -> str:
        return f"{self.archive}:{self.inner}"


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file is an archive of files."""
    return _ARCHIVE.fullmatch(path.name) is not None


def archive_name(path: Path) -> str:
    """Name for what an archive holds; of a package its name without version: `krb5-locales_1.20_all.deb`."""
    match path.suffix:
        case ".deb":
            return path.stem.partition("_")[0]
        case ".whl":
            return path.stem.partition("-")[0]
        case _:
            return path.name[: len(plain_name(path))].removesuffix(".tar").removesuffix(path.suffix)


def split_member(text: str) -> tuple[Path, str] | None:
    """Split `FILE.zip:MEMBER` where there is such a file; None when the text names no archive on disk.

    The member may be a pattern such as `*.tsv`; for a bare `FILE.zip` it is `*`, everything.
    """
    if Path(text).is_file():
        return (Path(text), "*") if is_archive(Path(text)) else None
    for colon in re.finditer(":", text):
        path = Path(text[: colon.start()])
        if is_archive(path) and path.is_file():
            return path, text[colon.end() :]
    return None


def list_members(archive: Path) -> list[str]:
    """Names of the plain files in an archive, in its order.

    Raises:
        DamagedError: it cannot be read, or is refused as `isoglot.zips` and `tarball` say.
    """
    if archive.suffix.lower() in _ZIPS:
        with open_zip(archive) as opened:
            return member_names(opened)
    return [name for name, _ in tar_members(archive)]


def each_member(archive: Path, wanted: Collection[str]) -> Iterator[Member]:
    """Yield the wanted members in the order of the archive, which is gone through once.

    A member can be read until the next one is asked for.
    """
    if not wanted:
        return
    wanted = frozenset(wanted)
    if archive.suffix.lower() in _ZIPS:
        with open_zip(archive) as opened:
            for name in member_names(opened):
                if name in wanted:
                    yield zip_member(opened, archive, name)
        return
    for name, content in tar_members(archive):
        if name in wanted:
            yield Member(archive, PurePosixPath(name), partial(_same, content))


def find_member(archive: Path, name: str) -> Member:
    """Return one member that can be opened on its own, as often as needed; reading starts a new pass."""
    return Member(archive, PurePosixPath(name), partial(_alone, archive, name))


def require_member(archive: Path, name: str) -> Member:
    """The same for a member that must be there.

    Raises:
        RequestError: it is not.
        DamagedError: the archive cannot be read or is refused.
    """
    if name not in list_members(archive):
        raise RequestError(f"{archive} has no member {name!r}.", "Names are as in the archive, with folders.")
    return find_member(archive, name)


def zip_member(opened: zipfile.ZipFile, archive: Path, name: str) -> Member:
    """Return a member of an open zip archive; it can be read as long as that stays open."""
    return Member(archive, PurePosixPath(name), partial(_in_zip, opened, name))


def _in_zip(opened: zipfile.ZipFile, name: str) -> IO[bytes]:
    return as_file(member_chunks(opened, name))


def _same(content: IO[bytes]) -> IO[bytes]:
    return content


def _alone(archive: Path, name: str) -> IO[bytes]:
    return as_file(_chunks(archive, name))


def _chunks(archive: Path, name: str) -> Iterator[bytes]:
    for member in each_member(archive, {name}):  # goes on to the end of the archive, where its checksum is
        with member.open("rb") as content:
            yield from iter(lambda: content.read(_CHUNK), b"")
