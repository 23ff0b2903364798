"""The teacher store: vectors keyed by the content of their sentence, in immutable shards under an SQLite manifest.

    store.json        format, space fingerprint and its parts, dimension, precision, chunk size
    manifest.sqlite   which shards are committed; a shard that is not listed is rubbish and is never read
    shards/ID.safetensors   "vectors" fp16 [rows, dimension], "keys" uint8 [rows, 16] in ascending order

Order of commit: temporary file, fsync, rename, fsync of the folder, SQLite COMMIT. A kill at any moment loses at most
the chunk in work.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes, digest_file, read_json, write_json
from isoglot.disk import write_atomic
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.scale.plan import Chunk, cut

HEADER = "store.json"
_FORMAT = 1
_KEY_BYTES = 16
_SCHEMA = """
CREATE TABLE IF NOT EXISTS plan (request TEXT PRIMARY KEY, baseline INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS chunk (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, rows INTEGER NOT NULL, sha256 TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Work:
    """What is still to embed: `texts` in a fixed order, cut by `plan`, of which `done` chunks are committed."""

    texts: list[str]
    keys: list[bytes]
    plan: list[Chunk]
    done: frozenset[str]

    @property
    def rows_left(self) -> int:
        """Sentences in chunks that are not committed yet."""
        return sum(chunk.stop - chunk.start for chunk in self.plan if chunk.id not in self.done)


def key_of(text: str) -> bytes:
    """Return the 16-byte blake2b of the text in Unicode NFC."""
    normal = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(normal, digest_size=_KEY_BYTES).digest()


class Store:
    """An open teacher store. Use `create` to write, `open` to read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        header = read_json(folder / HEADER)
        if header.get("format") != _FORMAT:
            raise RequestError(
                f"{folder} has store format {header.get('format')}, this isoglot reads {_FORMAT}."
            )
        self.space: Mapping[str, object] = header["space"]
        self.dimension = int(header["dimension"])
        self.chunk_rows = int(header["chunk_rows"])
        self._shards: dict[str, NDArray[np.float16]] = {}
        self._index: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None
        with self._database() as database:
            database.executescript(_SCHEMA)
        self._names = [chunk for chunk, _, _ in self._committed()]

    @classmethod
    def create(cls, folder: Path, space: Mapping[str, object], chunk_rows: int) -> Store:
        """Open a store for one space, making it when there is none.

        Args:
            folder: the store.
            space: `encode.fingerprint.space` of the teacher, plus the precision of its arithmetic.
            chunk_rows: sentences per chunk.

        Raises:
            RequestError: the folder holds another space; names the field that differs.
        """
        if not (folder / HEADER).is_file():
            (folder / "shards").mkdir(parents=True, exist_ok=True)
            header = {
                "format": _FORMAT,
                "space": space,
                "dimension": space["dimension"],
                "chunk_rows": chunk_rows,
            }
            write_json(folder / HEADER, header)
        store = cls(folder)
        wanted = {**space, "chunk_rows": chunk_rows}
        found = {**store.space, "chunk_rows": store.chunk_rows}
        differing = sorted(key for key in wanted if wanted[key] != found.get(key) and key != "fingerprint")
        if differing:
            field = differing[0]
            raise RequestError(
                f"{folder} holds vectors of another space: {field} is {_short(found.get(field))} there and"
                f" {_short(wanted[field])} now.",
                "Give another --store, or delete this one.",
            )
        return store

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open an existing store.

        Raises:
            RequestError: `folder` is not a store.
        """
        if not (folder / HEADER).is_file():
            raise RequestError(
                f"{folder} is not a teacher store.", "Make one with: isoglot embed CORPUS --store DIR."
            )
        return cls(folder)

    @property
    def rows(self) -> int:
        """Sentences whose vectors are committed."""
        return sum(rows for _, rows, _ in self._committed())

    def work_for(self, texts: Sequence[str]) -> Work:
        """Plan the sentences that the store lacks.

        The plan of a request is fixed when it is first seen (against the chunks committed until then), so a resumed
        pass cuts the same chunks and writes the same bytes.
        """
        by_key = {key_of(text): text for text in texts}
        request = digest_bytes(b"".join(sorted(by_key)))
        with self._database() as database:
            row = database.execute("SELECT baseline FROM plan WHERE request = ?", (request,)).fetchone()
            if row is None:
                row = database.execute("SELECT coalesce(max(seq), 0) FROM chunk").fetchone()
                database.execute("INSERT INTO plan VALUES (?, ?)", (request, row[0]))
            earlier = database.execute("SELECT id FROM chunk WHERE seq <= ?", row).fetchall()
        held = {bytes(key) for (name,) in earlier for key in self._keys(name)}
        keys = sorted(by_key.keys() - held)
        return Work([by_key[key] for key in keys], keys, cut(keys, self.chunk_rows), frozenset(self._names))

    def commit(self, chunk: Chunk, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Write one chunk for good.

        Args:
            chunk: the chunk.
            keys: its keys, ascending.
            vectors: float32 [rows, dimension], row i for key i.

        Raises:
            IsoglotError: a vector is not finite or is zero, the shape is wrong, or the disk is full.
        """
        from safetensors.numpy import save

        self._refuse_bad(chunk, vectors, len(keys))
        table = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, _KEY_BYTES)
        data = save({"vectors": vectors.astype(np.float16), "keys": table}, {"chunk": chunk.id})
        write_atomic(self._path(chunk.id), data)
        with self._database() as database:
            database.execute(
                "INSERT OR IGNORE INTO chunk (id, rows, sha256) VALUES (?, ?, ?)",
                (chunk.id, len(keys), digest_bytes(data)),
            )
        if chunk.id not in self._names:
            self._names.append(chunk.id)
        self._index = None

    def locate(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Resolve sentences to row numbers (shard number << 32 | row), once; training then reads by number.

        Raises:
            RequestError: a sentence has no vector here.
        """
        keys, numbers = self._sorted_keys()
        wanted = np.frombuffer(b"".join(key_of(text) for text in texts), np.uint8).reshape(-1, _KEY_BYTES)
        found = np.searchsorted(_prefix(keys), _prefix(wanted)).clip(max=max(0, len(keys) - 1))
        missing = np.ones(len(texts), bool) if not len(keys) else (keys[found] != wanted).any(axis=1)
        if missing.any():
            text = texts[int(np.argmax(missing))]
            raise RequestError(
                f"{self.folder} lacks {int(missing.sum())} of {len(texts)} sentences, such as {text[:60]!r}.",
                "Run isoglot embed on this corpus first.",
            )
        rows: NDArray[np.int64] = numbers[found]
        return rows

    def read(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read vectors by row number: float32 [len(numbers), dimension]."""
        result = np.empty((len(numbers), self.dimension), np.float32)
        shards, rows = numbers >> 32, numbers & 0xFFFFFFFF
        for shard in np.unique(shards):
            chosen = shards == shard
            result[chosen] = self._vectors(self._names[shard])[rows[chosen]]
        return result

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of sentences: float32 [len(texts), dimension]."""
        return self.read(self.locate(texts))

    def verify(self) -> list[str]:
        """Check the sha256 of every committed shard; return one sentence per problem."""
        problems = []
        for name, _, sha256 in self._committed():
            path = self._path(name)
            if not path.is_file():
                problems.append(f"{path} is missing")
            elif digest_file(path) != sha256:
                problems.append(f"{path} does not match its sha256")
        return problems

    def _committed(self) -> list[tuple[str, int, str]]:
        with self._database() as database:
            return list(database.execute("SELECT id, rows, sha256 FROM chunk ORDER BY seq"))

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / "manifest.sqlite"
        try:
            with closing(sqlite3.connect(path, timeout=30)) as database, database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = FULL")
                yield database
        except sqlite3.Error as error:
            raise DamagedError(
                f"{path}: {error}.", f"Free some space, or delete {self.folder} to embed anew."
            ) from error

    def _path(self, name: str) -> Path:
        return self.folder / "shards" / f"{name}.safetensors"

    def _keys(self, name: str) -> NDArray[np.uint8]:
        keys: NDArray[np.uint8] = _map(self._path(name), "keys")
        return keys

    def _vectors(self, name: str) -> NDArray[np.float16]:
        if name not in self._shards:
            self._shards[name] = _map(self._path(name), "vectors")
        return self._shards[name]

    def _sorted_keys(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        if self._index is None:
            parts = [self._keys(name) for name in self._names]
            keys = np.concatenate(parts) if parts else np.zeros((0, _KEY_BYTES), np.uint8)
            numbers = [
                (shard << 32) + np.arange(len(part), dtype=np.int64) for shard, part in enumerate(parts)
            ]
            order = np.argsort(_prefix(keys), kind="stable")
            self._index = keys[order], np.concatenate(numbers)[order] if numbers else np.zeros(0, np.int64)
        return self._index

    def _refuse_bad(self, chunk: Chunk, vectors: NDArray[np.float32], rows: int) -> None:
        if vectors.shape != (rows, self.dimension):
            raise IsoglotError(
                f"The teacher gave vectors of shape {vectors.shape} for {rows} x {self.dimension}."
            )
        bad = ~np.isfinite(vectors).all(axis=1) | ~vectors.any(axis=1)
        if bad.any():
            raise IsoglotError(
                f"The teacher gave {int(bad.sum())} vectors that are zero or not finite in chunk {chunk.id}"
                f" (first: row {int(np.argmax(bad))}).",
                "Nothing of this chunk was stored. Check the teacher on those sentences.",
            )


def _prefix(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """First 8 bytes of each key as a number that sorts as the bytes do."""
    return np.ascontiguousarray(keys[:, :8]).view(">u8").astype(np.uint64).reshape(-1)


def _map(path: Path, name: str) -> np.memmap[Any, Any]:
    """Map one tensor of a safetensors file, without reading it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(length))[name]
    except (OSError, ValueError, KeyError) as error:
        raise DamagedError(
            f"{path} is not a readable shard ({error}).", "Run isoglot verify on the store."
        ) from error
    start, stop = entry["data_offsets"]
    if 8 + length + stop > size:
        raise DamagedError(f"{path} is cut short: {size} bytes.", "Run isoglot verify on the store.")
    kind = {"F16": np.float16, "U8": np.uint8}[entry["dtype"]]
    return np.memmap(path, dtype=kind, mode="r", offset=8 + length + start, shape=tuple(entry["shape"]))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:12] + "…"
