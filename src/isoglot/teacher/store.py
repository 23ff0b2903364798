"""The teacher store: vectors keyed by the content of their sentence, in immutable shards under an SQLite manifest.

    store.json        format, space and its fingerprint, dimension, stored precision, chunk size, sha256 of itself
    manifest.sqlite   which shards are committed (`store_index`); one that is not listed is rubbish and never read
    shards/ID.safetensors   vectors and keys of one chunk (`store_shard`)

Order of commit (`store_write`): temporary file, fsync, rename, fsync of the folder, SQLite COMMIT. A kill at any moment
loses at most the chunk in work.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_file
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress, counted
from isoglot.teacher.axes import axes_problem
from isoglot.teacher.store_gather import ROW_BITS, Gather
from isoglot.teacher.store_header import HEADER, read_header
from isoglot.teacher.store_index import Entry, Index
from isoglot.teacher.store_shard import KEY_BYTES, Shard, damaged, map_shard, unpack

SUFFIX = ".safetensors"
_SCALE_BYTES = 4
_READ_ROWS = 65_536  # rows that a read copies at a time, beside its result


def key_of(text: str) -> bytes:
    """Return the 16-byte blake2b of the text in Unicode NFC."""
    normal = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(normal, digest_size=KEY_BYTES).digest()


class Store:
    """An open teacher store, to read.

    In another process (through multiprocessing) it opens its own maps.

    Args:
        folder: an existing store; see `open`.
        prove: compare every shard with its sha256 before anything of it is read.
    """

    def __init__(self, folder: Path, *, prove: bool = False) -> None:
        self.folder = folder
        self.header = read_header(folder)
        self.index = Index(folder)
        self.entries = self.index.entries()
        self.shards = _Shards(self, prove=prove)
        self._rows = Gather(lambda number: self.shards[number].vectors, self.header.layout.row_bytes)
        self._scales = Gather(lambda number: self.shards[number].scales.view(np.uint8).data, _SCALE_BYTES)
        self._sorted: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the folder alone."""
        return Store.open, (self.folder,)

    @classmethod
    def open(cls, folder: Path, *, prove: bool = False) -> Store:
        """Open an existing store.

        Raises:
            RequestError: `folder` is not a store.
            DamagedError: its header or manifest is not as it was written.
        """
        if not (folder / HEADER).is_file():
            raise RequestError(
                f"{folder} is not a teacher store.", "Make one with: isoglot embed CORPUS --store DIR."
            )
        return cls(folder, prove=prove)

    @property
    def space(self) -> Mapping[str, object]:
        """The teacher's space."""
        return self.header.space

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return self.header.dimension

    @property
    def rows(self) -> int:
        """Vectors that were committed when this store was opened, and by itself since."""
        return sum(entry.rows for entry in self.entries.values())

    def path_of(self, chunk: str) -> Path:
        """The file of a chunk."""
        return self.folder / "shards" / f"{chunk}{SUFFIX}"

    def locate(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Resolve sentences to row numbers (shard number << 32 | row), once; then read by number.

        Raises:
            RequestError: a sentence has no vector here.
        """
        numbers, held = self.find([key_of(text) for text in texts])
        if not held.all():
            text = texts[int(np.argmin(held))]
            raise RequestError(
                f"{self.folder} lacks {int((~held).sum())} of {len(texts)} sentences, such as {text[:60]!r}.",
                "Run isoglot embed on this corpus first, or leave out what its teacher cannot embed: missing = drop.",
            )
        return numbers

    def find(self, wanted: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Look keys up: row numbers, int64 [len(wanted)], and whether each key is held, bool [len(wanted)].

        A key that two passes embedded is found in the earlier one's shard.
        """
        keys, numbers = self.sorted_keys()
        if not len(keys):
            return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
        table = np.frombuffer(b"".join(wanted), np.uint8).reshape(-1, KEY_BYTES)
        found = np.searchsorted(_prefix(keys), _prefix(table)).clip(max=len(keys) - 1)
        return numbers[found], (keys[found] == table).all(axis=1)

    def read_stored(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read the bytes of vectors as they are stored, without the scales of int8: uint8 [len(numbers), row bytes]."""
        return self._rows(numbers)

    def read(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read vectors by row number: float32 [len(numbers), dimension]."""
        if len(numbers) <= _READ_ROWS:
            return self._unpacked(numbers)
        result = np.empty((len(numbers), self.dimension), np.float32)
        for start in range(0, len(numbers), _READ_ROWS):
            some = numbers[start : start + _READ_ROWS]
            result[start : start + len(some)] = self._unpacked(some)
        return result

    def _unpacked(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        scales = self._scales(numbers).view(np.float32) if self.header.store_precision == "int8" else None
        return unpack(self._rows(numbers), scales, self.header.layout)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of sentences: float32 [len(texts), dimension]."""
        return self.read(self.locate(texts))

    def table(self, texts: Sequence[str]) -> StoredVectors:
        """Vectors of sentences, resolved now and read when asked; row i for text i."""
        return StoredVectors(self, self.locate(texts))

    def verify(self, progress: Progress = SILENT) -> list[str]:
        """Check every bit of the manifest, of all committed shards and of the axes; one sentence per problem."""
        with progress.task(f"verify {self.folder.name}", len(self.entries), "shards") as task:
            shards = list(map(self._problem, counted(self.entries.values(), task)))
        found = [axes_problem(self.folder, self.space), *shards]
        return [*self.index.problems(), *(problem for problem in found if problem is not None)]

    def sorted_keys(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Give all keys, uint8 [rows, 16], in ascending order, and the row number of each, int64 [rows]."""
        if self._sorted is None:
            parts = [self.shards[number].keys for number in self.entries]
            keys = np.concatenate([np.zeros((0, KEY_BYTES), np.uint8), *parts])
            rows = [
                (number << ROW_BITS) + np.arange(len(part), dtype=np.int64)
                for number, part in zip(self.entries, parts, strict=True)
            ]
            order = np.argsort(_prefix(keys), kind="stable")
            self._sorted = keys[order], np.concatenate([np.zeros(0, np.int64), *rows])[order]
        return self._sorted

    def _problem(self, entry: Entry) -> str | None:
        path = self.path_of(entry.chunk)
        try:
            if path.stat().st_size != entry.size:
                return damaged(path, f"has {path.stat().st_size} bytes instead of {entry.size}").problem
            return None if digest_file(path) == entry.sha256 else f"{path} does not match its sha256"
        except FileNotFoundError:
            return f"{path} is missing"
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"


@dataclass(frozen=True)
class StoredVectors:
    """Vectors of n sentences that stay in their store until rows are asked for: `table[rows]`.

    Only numbers are held, 8 bytes a sentence. Each process that reads opens its own maps.

    Attributes:
        store: where they are.
        numbers: int64 [n], from `Store.locate`.
    """

    store: Store
    numbers: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Sentences and components."""
        return len(self.numbers), self.store.dimension

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: NDArray[np.integer[Any]] | slice) -> NDArray[np.float32]:
        """Read rows: float32 [len(rows), dimension]."""
        return self.store.read(self.numbers[rows])


class _Shards(dict[int, Shard]):
    """Maps of the shards by number, each opened at its first use."""

    def __init__(self, store: Store, *, prove: bool) -> None:
        super().__init__()
        self._store, self._prove = store, prove

    def __missing__(self, number: int) -> Shard:
        entry = self._store.entries[number]
        path = self._store.path_of(entry.chunk)
        if self._prove and path.is_file() and digest_file(path) != entry.sha256:
            raise damaged(path, "does not match its sha256")
        self[number] = map_shard(path, entry.size, entry.rows, self._store.header.layout)
        return self[number]


def _prefix(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """First 8 bytes of each key as a number that sorts as the bytes do."""
    return np.ascontiguousarray(keys[:, :8]).view(">u8").astype(np.uint64).reshape(-1)
