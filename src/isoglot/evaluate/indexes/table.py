"""Vectors in a file: searched exactly, by our own k-NN."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.disk import explaining_full_disk
from isoglot.errors import DamagedError
from isoglot.evaluate.indexes.index import Documents, IndexFacts, spread
from isoglot.mine.knn import nearest


class Table:
    """An index that is no more than its vectors.

    Args:
        facts: what it is.
        ids: one per row.
        texts: one per row.
        vectors: float [rows, dimension], in memory or mapped from a file.
    """

    def __init__(self, facts: IndexFacts, ids: list[str], texts: list[str], vectors: NDArray[Any]) -> None:
        self.facts = facts
        self._ids, self._texts, self._vectors = ids, texts, vectors

    def sample(self, count: int) -> Documents:
        """Give documents at even distances."""
        return self._rows(spread(len(self._ids), count))

    def search(self, queries: NDArray[np.float32], k: int) -> list[Documents]:
        """Find the exact neighbours of every query."""
        _, found = nearest(queries, self._vectors, min(k, len(self._ids)), metric=self.facts.metric)
        return [self._rows(rows) for rows in found]

    def _rows(self, rows: NDArray[np.int64]) -> Documents:
        chosen = rows.tolist()
        return Documents(
            tuple(self._ids[row] for row in chosen),
            tuple(self._texts[row] for row in chosen),
            np.asarray(self._vectors[rows], np.float32),
        )


def spooled(blocks: Iterable[NDArray[Any]], name: str) -> NDArray[np.float32]:
    """Copy vectors to a temporary file that goes away with the process, and map it: float32 [rows, dimension].

    Raises:
        DamagedError: rows have different lengths.
    """
    width, rows = 0, 0
    with tempfile.TemporaryFile() as file, explaining_full_disk(Path(tempfile.gettempdir()) / "vectors"):
        for block in blocks:
            width = width or block.shape[1]
            if block.shape[1] != width:
                raise DamagedError(f"{name}: row {rows} has {block.shape[1]} components instead of {width}.")
            file.write(np.ascontiguousarray(block, np.float32).tobytes())
            rows += len(block)
        file.flush()
        return (
            np.memmap(file, np.float32, "r", 0, (rows, width)) if rows else np.zeros((0, width), np.float32)
        )
