"""Zip archives read in place: members are streamed and never extracted, and bombs are refused.

Wheels, corpora and their documents come as zip archives from strangers. `zipfile` gives of a member no more than
its directory entry says and checks its CRC, so limits on what the directory says hold for what is read.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from isoglot.errors import DamagedError

RATIO_CAP = 200  # what unpacks to more than 200 times its size is a bomb, not text or weights
SLACK = 4096  # compressed bytes that a small member may count as
STREAM_CAP = 2**40  # bytes of one member that is read piece by piece
MEMORY_CAP = 4 * 2**30  # bytes of one member that is held in memory
MEMBERS_CAP = 500_000
_CHUNK = 1 << 16
_END, _END_64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x01\x02"
_END_SIZE, _END_64_SIZE, _LOCATOR_SIZE = 22, 56, 20


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive after a look at its directory.

    Raises:
        DamagedError: it is none, has too many members, two of one name or with one content, or a name that leads
            out of the archive.
    """
    try:
        with path.open("rb") as file:
            entries = _count_entries(file, path)
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise DamagedError(f"{path} is not a readable zip archive ({error}).", "Fetch it again.") from error
    try:
        _check_directory(archive, path, entries)
    except DamagedError:
        archive.close()
        raise
    return archive


def member_names(archive: zipfile.ZipFile) -> list[str]:
    """Names of the members that are files; folders, links and devices are left out and thus never followed."""
    return [info.filename for info in archive.infolist() if _is_file(info)]


def read_member(archive: zipfile.ZipFile, name: str, cap: int = MEMORY_CAP) -> bytes:
    """Read one member whole, refusing bombs and damaged data.

    Raises:
        DamagedError: naming the archive and the member.
    """
    return b"".join(member_chunks(archive, name, cap))


def member_chunks(archive: zipfile.ZipFile, name: str, cap: int = STREAM_CAP) -> Iterator[bytes]:
    """Yield one member piece by piece, refusing bombs and damaged data; at its end its CRC has been checked.

    Raises:
        DamagedError: naming the archive and the member.
    """
    where = f"{archive.filename}: member {name}"
    try:
        info = archive.getinfo(name)
        _check_member(info, where, cap)
        with archive.open(info) as file:
            yield from iter(lambda: file.read(_CHUNK), b"")
            if file.tell() != info.file_size:
                raise zipfile.BadZipFile(f"{file.tell()} bytes instead of {info.file_size}")
    except KeyError as error:
        raise DamagedError(f"{where} does not exist.", "Is this the right archive and version?") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise DamagedError(
            f"{where} is damaged ({error}).", "Delete the archive and fetch it again."
        ) from error


def require_safe_names(names: list[str], where: object) -> None:
    """Refuse an archive in which a name leads elsewhere or stands twice; nothing is ever written under such names.

    Raises:
        DamagedError: naming the archive and the first such member.
    """
    for name in names:
        if (
            not name
            or ".." in name.replace("\\", "/").split("/")
            or name.startswith(("/", "\\"))
            or name[1:2] == ":"
        ):
            raise DamagedError(
                f"{where}: member {name!r} leads out of the archive: refused.", "Pack it anew."
            )
    if len(set(names)) < len(names):
        name, times = Counter(names).most_common(1)[0]
        raise DamagedError(f"{where} holds {times} members {name!r}: refused.", "Pack it anew.")


def _count_entries(file: IO[bytes], path: Path) -> int:
    """Return how many entries the directory says it has, and count them before `zipfile` makes an object of each.

    Layout as in PKWARE's APPNOTE, 4.3.12 to 4.3.16.
    """
    length = file.seek(0, 2)
    at = file.seek(max(0, length - _END_SIZE - 0xFFFF))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0:
        return 0  # zipfile says what is wrong with it
    said, size = struct.unpack_from("<HL", tail, end + 10)
    start, end_64 = at + end - size, end - _LOCATOR_SIZE - _END_64_SIZE
    if end_64 >= 0 and tail.startswith(_END_64, end_64):
        said, size = struct.unpack_from("<2Q", tail, end_64 + 32)
        start = at + end_64 - size
    file.seek(max(0, start))
    carried, entries = b"", 0
    while entries <= MEMBERS_CAP and (piece := file.read(_CHUNK)):
        entries += (carried + piece).count(_ENTRY)
        carried = piece[1 - len(_ENTRY) :]
    if entries > MEMBERS_CAP:
        raise DamagedError(f"{path} has more than {MEMBERS_CAP:,} members: refused.", "Split it.")
    return int(said)


def _check_directory(archive: zipfile.ZipFile, path: Path, entries: int) -> None:
    found = len(archive.infolist())
    if found != entries:  # an entry that says it is longer hides the next one
        raise DamagedError(f"{path} says it has {entries} members and has {found}.", "Fetch it again.")
    require_safe_names([info.filename for info in archive.infolist() if not _is_folder(info)], path)
    packed, length = sum(info.compress_size for info in archive.infolist()), path.stat().st_size
    if packed > length:
        raise DamagedError(
            f"{path} has {length} bytes and says it holds {packed}: its members overlap.", "Fetch it again."
        )


def _check_member(info: zipfile.ZipInfo, where: str, cap: int) -> None:
    if info.file_size > min(cap, RATIO_CAP * max(info.compress_size, SLACK)):
        raise DamagedError(f"{where} unpacks to {info.file_size} bytes from {info.compress_size}: refused.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DamagedError(
            f"{where} is compressed by method {info.compress_type}, not deflate: refused.", "Pack it anew."
        )
    if not _is_file(info):
        raise DamagedError(f"{where} is not a plain file: refused.", "Name a file of the archive.")


def _is_file(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the writer is not of Unix
    return not _is_folder(info) and kind in (0, stat.S_IFREG)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/")  # its own `is_dir` fails on a member without a name
