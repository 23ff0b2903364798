"""What a reader needs of its file, so that a member of an archive is read like a file on disk."""

from __future__ import annotations

from pathlib import PurePath
from typing import IO, Literal, Protocol


class File(Protocol):
    """A `pathlib.Path`, or a member of an archive that is read in place; `str()` of it names it in errors."""

    @property
    def name(self) -> str:
        """Name without folders, such as `pairs.tsv.gz`."""

    @property
    def stem(self) -> str:
        """Name without its last suffix."""

    @property
    def suffix(self) -> str:
        """Last suffix with its dot; empty: none."""

    @property
    def parent(self) -> PurePath:
        """The folder it lies in, in the file system or in the archive."""

    def open(self, mode: Literal["rb"]) -> IO[bytes]:
        """Open it for reading from its start; each call gives a stream of its own."""
