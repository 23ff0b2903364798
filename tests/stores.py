"""Teacher stores whose vectors depend on nothing but their sentence, made without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import IsoglotError
from isoglot.teacher.store import key_of
from isoglot.teacher.store_write import StoreWriter

DIMENSION = 8
SPACE = {"weights": "w", "prompt": "", "dimension": DIMENSION, "fingerprint": "f"}
TEXTS = [f"sentence {number}" for number in range(95)]


def vectors_of(keys: list[bytes], dimension: int = DIMENSION) -> NDArray[np.float32]:
    """A vector of unit length for each key that depends on nothing but the key."""
    rows = [np.random.default_rng(list(key)).standard_normal(dimension, np.float32) for key in keys]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def expected(texts: list[str], dimension: int = DIMENSION) -> NDArray[np.float32]:
    """The vectors of sentences."""
    return vectors_of([key_of(text) for text in texts], dimension)


def fill(folder: Path, texts: list[str], stop_after: int | None = None, **options) -> StoreWriter:
    """Embed sentences, or the first `stop_after` chunks of them; a whole pass is sealed."""
    dimension = options.pop("dimension", DIMENSION)
    store = StoreWriter.create(folder, {**SPACE, "dimension": dimension}, 10, **options)
    work = store.work_for(texts)
    for chunk in work.left(work.plan)[:stop_after]:
        keys = work.keys[chunk.start : chunk.stop]
        store.commit(chunk, keys, vectors_of(keys, dimension))
    if stop_after is None:
        store.seal()
    return store


def shards(folder: Path) -> dict[str, bytes]:
    """Name and content of every file among the shards."""
    return {path.name: path.read_bytes() for path in (folder / "shards").iterdir()}


class Counting:
    """A teacher that notes every sentence of the chunks it embeds, and breaks after so many chunks."""

    dimension, normalise = DIMENSION, True

    def __init__(self, chunks: int = 10**9) -> None:
        self.seen: list[str] = []
        self.chunks = chunks

    def space(self) -> dict[str, object]:
        return SPACE

    def missing(self, texts: list[str]) -> NDArray[np.bool_]:
        return np.zeros(len(texts), bool)

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        if len(texts) > 1:  # one alone is the question whether the teacher is still the same
            if self.chunks == 0:
                raise IsoglotError("broken", "mend it")
            self.chunks -= 1
            self.seen += texts
        return expected(list(texts))
