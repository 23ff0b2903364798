"""Which shards of a teacher store are committed: an SQLite table, sealed with its sha256 while nobody writes.

    manifest.sqlite    chunk(seq, id, rows, bytes, sha256, digest), plan(request, baseline)
    manifest.sha256    its sha256 as `sha256sum -c` reads it; there is none from the first write of a pass to its end

Every row carries a digest of itself, so a damaged row is noticed by every reader, and the seal finds any flipped bit.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from isoglot.artefact import digest_bytes, digest_file
from isoglot.disk import sync, write_atomic
from isoglot.errors import DamagedError, IsoglotError

_NAME, _SEAL = "manifest.sqlite", "manifest.sha256"
_FULL_MEMORY = {
    "SQLITE_IOERR_NOMEM",
    "SQLITE_IOERR_SHMMAP",
    "SQLITE_IOERR_MMAP",
}  # said to be the disk's errors
_SCHEMA = """
CREATE TABLE IF NOT EXISTS plan (request TEXT PRIMARY KEY, baseline INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS chunk (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, digest TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Entry:
    """A committed shard: its chunk, vectors, length and sha256."""

    chunk: str
    rows: int
    size: int
    sha256: str

    @property
    def digest(self) -> str:
        """What the entry's own row carries."""
        return digest_bytes(f"{self.chunk} {self.rows} {self.size} {self.sha256}".encode())[:16]


@dataclass(frozen=True)
class Index:
    """The table of a store folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.folder / _NAME

    def create(self) -> None:
        """Make the table when there is none, or when a kill came before it was made."""
        with self._writing("rwc") as database:
            database.executescript(_SCHEMA)

    def entries(self) -> dict[int, Entry]:
        """Committed shards by their number, in order of commit; a number is never used twice.

        Raises:
            DamagedError: the file is missing, no table, or has a row that is not as it was written.
        """
        with self._reading() as database:
            rows = database.execute("SELECT seq, id, rows, bytes, sha256, digest FROM chunk ORDER BY seq")
            found = {seq: (Entry(*values), digest) for seq, *values, digest in rows}
        for seq, (entry, digest) in found.items():
            if entry.digest != digest:
                raise self._damaged(f"row {seq} does not match its own digest")
        return {seq: entry for seq, (entry, _) in found.items()}

    def add(self, entry: Entry) -> int:
        """Commit a shard whose file is on disk already; return its number."""
        with self._writing() as database:
            values = (entry.chunk, entry.rows, entry.size, entry.sha256, entry.digest)
            columns = "id, rows, bytes, sha256, digest"
            added = database.execute(f"INSERT INTO chunk ({columns}) VALUES (?, ?, ?, ?, ?)", values)  # noqa: S608
            return int(added.lastrowid or 0)

    def forget(self, lost: Iterable[int]) -> None:
        """Remove shards whose files are gone; every plan is then made anew, from what is left."""
        with self._writing() as database:
            database.executemany("DELETE FROM chunk WHERE seq = ?", [(seq,) for seq in lost])
            database.execute("DELETE FROM plan")

    def baseline(self, request: str) -> int:
        """Number of the last shard that was there when a request was first seen, which may be now."""
        with self._reading() as database:
            row = database.execute("SELECT baseline FROM plan WHERE request = ?", (request,)).fetchone()
        if row is None:
            with self._writing() as database:
                row = database.execute("SELECT coalesce(max(seq), 0) FROM chunk").fetchone()
                database.execute("INSERT INTO plan VALUES (?, ?)", (request, *row))
        return int(row[0])

    def seal(self) -> None:
        """Write the file's sha256 beside it, unless it is there; called when a pass is over."""
        if self._sealed() is not None:
            return
        with self._reading() as database:
            busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:  # else a reader still needs the log, whose end would change the file
            write_atomic(self.folder / _SEAL, self._seal_text())

    def problems(self) -> list[str]:
        """Check every bit of a sealed table; of an unsealed one (a pass runs or was cut) what SQLite can check."""
        try:
            seal = self._sealed()
            if seal is not None and seal != self._seal_text() and self._sealed() is not None:
                return [f"{self.path} does not match its sha256 in {_SEAL}"]
            with self._reading() as database:
                said = [row[0] for row in database.execute("PRAGMA integrity_check")]
        except (IsoglotError, OSError) as error:
            return [f"{self.path} cannot be read ({error})"]
        return [f"{self.path}: {line}" for line in said if line != "ok"]

    def _sealed(self) -> str | None:
        try:
            return (self.folder / _SEAL).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def _seal_text(self) -> str:
        return f"{digest_file(self.path)}  {_NAME}\n"

    def _unseal(self) -> None:
        seal = self.folder / _SEAL
        if seal.is_file():
            seal.unlink()
            sync(self.folder)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Open a table that is there; in a folder that cannot be written SQLite must not look for a log that is not."""
        log = self.path.with_name(f"{_NAME}-wal")
        mode = "rw" if os.access(self.folder, os.W_OK) else "ro" if log.is_file() else "ro&immutable=1"
        with self._connection(mode) as database:
            yield database

    @contextmanager
    def _writing(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        self._unseal()
        with self._connection(mode) as database, database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            yield database

    @contextmanager
    def _connection(self, mode: str) -> Iterator[sqlite3.Connection]:
        address = f"file:{quote(str(self.path.absolute()))}?mode={mode}"
        try:
            with closing(sqlite3.connect(address, timeout=30, uri=True)) as database:
                yield database
        except sqlite3.OperationalError as error:  # the disk, or another process
            if not self.path.is_file():
                raise self._damaged("it is missing") from error
            if getattr(error, "sqlite_errorname", "") in _FULL_MEMORY:
                raise MemoryError(f"{self.path}: {error}") from error
            raise IsoglotError(
                f"{self.path}: {error}.",
                "Free some space, check the disk, and run the same command again; finished chunks are kept.",
            ) from error
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> DamagedError:
        return DamagedError(f"{self.path}: {what}.", f"Delete {self.folder} to embed anew.")
