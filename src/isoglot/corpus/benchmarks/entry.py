"""A file of a test set: on disk, plain or compressed, or a member of a zip archive."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from isoglot.corpus.formats.archive import find_member, list_members
from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.packed import open_binary, plain_name
from isoglot.errors import DamagedError

_LONGEST = 1 << 24
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes:
        file: on disk or in an archive; unpacked when its name ends in a compression's suffix.
    """

    file: File

    def __str__(self) -> str:
        return str(self.file)

    def lines(self) -> Iterator[str]:
        """Yield the lines without line feed, carriage return at their end, and byte order mark of the file.

        Raises:
            DamagedError: it is cut off or broken, is not UTF-8, or has a line of more than 16 MiB.
        """
        with open_binary(self.file) as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), start=1):
                if len(line) >= _LONGEST:
                    raise DamagedError(f"{self}, line {number} has more than 16 MiB.", "Is this a text file?")
                yield self._text(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line, number)

    def rows(self, least: int) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, tab-separated cells); an empty last line is none.

        Raises:
            DamagedError: a line has fewer than `least` cells.
        """
        for number, line in enumerate(self.lines(), start=1):
            cells = line.split("\t")
            if len(cells) < least:
                raise DamagedError(
                    f"{self}, line {number}: {len(cells)} columns, at least {least} are needed.",
                    "Fetch the test set again.",
                )
            yield number, cells

    def first_line(self) -> str:
        """The first line; empty when there is none."""
        return next(self.lines(), "")

    def digest(self) -> str:
        """sha256 of the unpacked content."""
        state = hashlib.sha256()
        with open_binary(self.file) as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                state.update(block)
        return state.hexdigest()

    def _text(self, line: bytes, number: int) -> str:
        try:
            return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise DamagedError(
                f"{self}, line {number} is not UTF-8 text.", "Fetch the test set again."
            ) from error


@dataclass(frozen=True)
class Folder:
    """The files of one folder or archive, by their plain names in lower case (`eng.tsv` for `eng.tsv.gz`).

    Attributes:
        path: the folder, or the archive.
        entries: plain name -> file.
    """

    path: Path
    entries: Mapping[str, Entry]

    @property
    def name(self) -> str:
        """Its own name, which names the test set where the files do not."""
        path = self.path.resolve()
        if path.is_dir():
            return path.name
        return path.stem if path.suffix.lower() == ".zip" else path.parent.name


def folder_of(path: Path) -> Folder:
    """Look into a folder, a zip archive, or give a single file as a folder of its own.

    Raises:
        DamagedError: the archive is broken.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        return Folder(path, {plain_name(file): Entry(file) for file in files})
    if path.suffix.lower() != ".zip":
        return Folder(path, {plain_name(path): Entry(path)})
    members = [find_member(path, name) for name in sorted(list_members(path))]
    return Folder(path, {plain_name(member): Entry(member) for member in members})
