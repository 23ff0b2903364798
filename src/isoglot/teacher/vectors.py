"""A file of finished vectors as a teacher: an existing index is enough, the model that made it need not be there."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes, digest_json
from isoglot.config import TeacherConfig
from isoglot.disk import explaining_full_disk
from isoglot.encode.unit import is_unit, unit
from isoglot.errors import DamagedError, RequestError
from isoglot.teacher.store import key_of
from isoglot.teacher.vector_files import Block, map_vectors, read_blocks

_SAME = 1e-3  # two vectors of one text may differ by this share of their length: half precision does
_NAMED = 5  # rows that an error names


@dataclass(frozen=True)
class FinishedVectors:
    """Vectors by the content of their text.

    Attributes:
        keys: bytes16 [n], ascending, without repeats; texts are compared with single spaces and in NFC.
        rows: int64 [n], row of `table` of each key.
        table: float [m, dimension], on disk.
        normalise: whether all vectors have unit length.
        scaled: whether they get it here.
        digest: of all texts and vectors, whatever their order and file format.
    """

    keys: NDArray[np.bytes_]
    rows: NDArray[np.int64]
    table: NDArray[Any]
    normalise: bool
    scaled: bool
    digest: str

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return int(self.table.shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i.

        Raises:
            RequestError: a text has no vector.
        """
        places, lacking = self._find(texts)
        if lacking.any():
            text = texts[int(np.argmax(lacking))]
            raise RequestError(
                f"The teacher's file has no vector for {int(lacking.sum())} of {len(texts)} texts, such as"
                f" {text[:60]!r}."
            )
        vectors = self.table[self.rows[places]].astype(np.float32)
        return unit(vectors) if self.scaled else vectors

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts have no vector, bool [len(texts)]."""
        return self._find(texts)[1]

    def space(self) -> dict[str, object]:
        """The content's digest, and the digest over everything that decides where a sentence lands."""
        parts: dict[str, object] = {
            "weights": f"vectors {self.digest}",
            "normalise": self.normalise,
            "dimension": self.dimension,
        }
        return {**parts, "fingerprint": digest_json(parts)}

    def _find(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        wanted = _keys(texts)
        places = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        lacking: NDArray[np.bool_] = self.keys[places] != wanted
        return places, lacking


def open_vectors(path: Path, config: TeacherConfig) -> FinishedVectors:
    """Open a file of vectors with their texts, and check every row.

    Args:
        path: .npy or .safetensors (with a file of texts), .parquet or .jsonl.
        config: `vectors`: where the texts are; `normalise`.

    Raises:
        RequestError: the file is not there, has no rows, or one text has two different vectors.
        DamagedError: vectors that are not finite or zero, naming their rows; a file that is cut or broken.
    """
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", "Give the path of a file of vectors.")
    mapped = map_vectors(path, config.vectors)
    blocks = read_blocks(path, config.vectors, mapped)
    scan = _Scan(path)
    if mapped is None:
        mapped = _spool(scan.checked(blocks))
    else:
        for _ in scan.checked(blocks):
            pass
    if not scan.keys:
        raise RequestError(f"{path} holds no vectors.")
    keys = np.concatenate(scan.keys)
    kept = _first_of_each(path, keys, mapped)
    rows = np.concatenate(scan.rows)[kept]
    return FinishedVectors(
        keys=keys[kept],
        rows=kept,
        table=mapped,
        normalise=scan.unit if config.normalise is None else config.normalise,
        scaled=bool(config.normalise),
        digest=digest_bytes(np.sort(rows).tobytes()),
    )


class _Scan:
    """What one pass over a file finds: keys, a digest of each row, whether all vectors have unit length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: list[NDArray[np.bytes_]] = []
        self.rows: list[NDArray[np.bytes_]] = []
        self.unit = True
        self._count = 0
        self._bad: list[int] = []

    def checked(self, blocks: Iterator[Block]) -> Iterator[NDArray[Any]]:
        """Pass the blocks' vectors on; at the end, refuse the file when some were bad."""
        for texts, vectors in blocks:
            with np.errstate(over="ignore"):  # what fp32 cannot hold becomes infinite, and is refused
                exact = vectors.astype("<f4")
            self._bad += (np.flatnonzero(~_good(exact)) + self._count).tolist()
            keys = _keys(texts)
            self.keys.append(keys)
            self.rows.append(_digests(keys, exact))
            self.unit = self.unit and is_unit(exact)
            self._count += len(texts)
            yield vectors
        if self._bad:
            named = ", ".join(str(row) for row in self._bad[:_NAMED]) + ", …" * (len(self._bad) > _NAMED)
            raise DamagedError(
                f"{self.path}: {len(self._bad)} of {self._count} vectors are zero or not finite, in rows {named}"
                " (counted from 0).",
                "Leave these rows out, or embed their texts anew.",
            )


def _good(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.logical_and(np.isfinite(vectors).all(axis=1), vectors.any(axis=1))


def _keys(texts: Sequence[str]) -> NDArray[np.bytes_]:
    return np.array([key_of(" ".join(text.split())) for text in texts], "S16")


def _digests(keys: NDArray[np.bytes_], vectors: NDArray[np.float32]) -> NDArray[np.bytes_]:
    """16 bytes per row over its key and its vector."""
    return np.array(
        [
            hashlib.blake2b(key.ljust(16, b"\0") + row.tobytes(), digest_size=16).digest()
            for key, row in zip(keys.tolist(), vectors, strict=True)
        ],
        "S16",
    )


def _spool(blocks: Iterator[NDArray[Any]]) -> NDArray[Any]:
    """Copy vectors to a temporary file that goes away with the process, and map it."""
    first = next(blocks, None)
    if first is None:
        return np.zeros((0, 1), np.float32)
    kind = first.dtype if first.dtype.itemsize < 8 else np.dtype(np.float32)
    with tempfile.TemporaryFile() as file, explaining_full_disk(Path(tempfile.gettempdir()) / "vectors"):
        rows = 0
        block: NDArray[Any] | None = first
        while block is not None:
            if block.shape[1] != first.shape[1]:
                raise DamagedError(f"Row {rows} has {block.shape[1]} components instead of {first.shape[1]}.")
            with np.errstate(over="ignore"):
                file.write(np.ascontiguousarray(block, kind).tobytes())
            rows += len(block)
            block = next(blocks, None)
        file.flush()
        return np.memmap(file, kind, "r", 0, (rows, first.shape[1]))


def _first_of_each(path: Path, keys: NDArray[np.bytes_], table: NDArray[Any]) -> NDArray[np.int64]:
    """Give the first row of every distinct text, in the order of the keys; refuse a text with two vectors."""
    order = np.argsort(keys, kind="stable")
    repeated = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    for place in repeated:
        first, second = int(order[place]), int(order[place + 1])
        one, other = table[first].astype(np.float64), table[second].astype(np.float64)
        if np.linalg.norm(one - other) > _SAME * np.linalg.norm(one):
            raise RequestError(
                f"{path}: rows {first} and {second} (counted from 0) have the same text and different vectors.",
                "Keep one of them.",
            )
    kept = np.ones(len(keys), bool)
    kept[repeated + 1] = False
    chosen: NDArray[np.int64] = order[kept]
    return chosen
