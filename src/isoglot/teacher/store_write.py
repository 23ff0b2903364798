"""Writing a teacher store: planning what it lacks, and committing one chunk after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes
from isoglot.disk import PARTIAL, write_atomic
from isoglot.errors import DamagedError
from isoglot.scale.plan import Chunk, cut
from isoglot.teacher.store import SUFFIX, Store, key_of
from isoglot.teacher.store_gather import ROW_BITS
from isoglot.teacher.store_header import HEADER, Header, write_header
from isoglot.teacher.store_index import Entry, Index
from isoglot.teacher.store_shard import KEY_BYTES, StorePrecision, pack


@dataclass(frozen=True)
class Work:
    """What is to embed: `texts` in a fixed order, cut by `plan`, of which `done` chunks are committed."""

    texts: list[str]
    keys: list[bytes]
    plan: list[Chunk]
    done: frozenset[str]

    def left(self, part: Sequence[Chunk]) -> list[Chunk]:
        """Chunks of a part of the plan that are not committed yet."""
        return [chunk for chunk in part if chunk.id not in self.done]


class StoreWriter(Store):
    """A store that this process writes to, and reads; hold `lock.exclusive` on its folder meanwhile."""

    @classmethod
    def create(
        cls, folder: Path, space: Mapping[str, object], chunk_rows: int, precision: StorePrecision = "fp16"
    ) -> StoreWriter:
        """Open a store for one space, making it when there is none.

        What a killed process left behind is removed, and shards whose files are gone are forgotten, so that they
        are embedded again. Whatever is read through a writer is compared with its sha256 first.

        Args:
            folder: the store.
            space: `encode.fingerprint.space` of the teacher, plus the precision of its arithmetic.
            chunk_rows: sentences per chunk.
            precision: how vectors are stored.

        Raises:
            RequestError: the folder holds another space; names the field that differs.
            DamagedError: its header or manifest is not as it was written, or the header of its shards is gone.
        """
        wanted = Header(space, int(str(space["dimension"])), chunk_rows, precision)
        if not (folder / HEADER).is_file():
            if any((folder / "shards").glob(f"*{SUFFIX}")):  # of another space, or somebody else's
                raise DamagedError(
                    f"{folder} has shards but no {HEADER} that says whose they are.",
                    f"Put {HEADER} back, or give another --store.",
                )
            (folder / "shards").mkdir(parents=True, exist_ok=True)
            Index(folder).create()
            write_header(folder, wanted)
        store = cls(folder, prove=True)
        store.header.refuse_other(
            wanted,
            folder,
            "Give another --store, delete this one, or go back to its setting, such as teacher.precision.",
        )
        store._tidy()
        return store

    def work_for(self, texts: Sequence[str]) -> Work:
        """Plan the sentences that the store lacks.

        The plan of a request is fixed when it is first seen (against the chunks committed until then), so a resumed
        pass cuts the same chunks and writes the same bytes.
        """
        by_key = {key_of(text): text for text in texts}
        baseline = self.index.baseline(digest_bytes(b"".join(sorted(by_key))))
        keys = sorted(by_key)
        if baseline:
            numbers, held = self.find(keys)
            earlier = held & (numbers >> ROW_BITS <= baseline)
            keys = [key for key, there in zip(keys, earlier, strict=True) if not there]
        done = frozenset(entry.chunk for entry in self.entries.values())
        return Work([by_key[key] for key in keys], keys, cut(keys, self.header.chunk_rows), done)

    def commit(self, chunk: Chunk, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Write one chunk for good.

        Args:
            chunk: the chunk.
            keys: its keys, ascending.
            vectors: float32 [rows, dimension], row i for key i.

        Raises:
            IsoglotError: a vector is not finite, is zero or leaves the range of fp16, the shape is wrong, or the
                disk is full.
        """
        table = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
        self.commit_packed(chunk.id, len(keys), pack(chunk.id, table, vectors, self.header.layout))

    def commit_packed(self, chunk: str, rows: int, data: bytes) -> None:
        """Write the content of a whole shard file for good."""
        write_atomic(self.path_of(chunk), data)
        entry = Entry(chunk, rows, len(data), digest_bytes(data))
        self.entries[self.index.add(entry)] = entry
        self._sorted = None

    def seal(self) -> None:
        """End a pass: from now on `verify` finds any flipped bit of the manifest."""
        self.index.seal()

    def _tidy(self) -> None:
        """Remove files that are not committed, and forget shards whose files are missing or cut."""
        listed = {self.path_of(entry.chunk).name for entry in self.entries.values()}
        for path in (self.folder / "shards").iterdir():
            if path.name.endswith((SUFFIX, PARTIAL)) and path.name not in listed:
                path.unlink()
        lost = [number for number, entry in self.entries.items() if not self._has_file(entry)]
        if lost:
            self.index.forget(lost)
            for number in lost:
                del self.entries[number]

    def _has_file(self, entry: Entry) -> bool:
        path = self.path_of(entry.chunk)
        return path.is_file() and path.stat().st_size == entry.size
