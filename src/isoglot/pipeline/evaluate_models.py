"""The encoders of an evaluation, and the vectors that they give each distinct text once, in stores that can resume."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import MANIFEST, digest_file, digest_json, read_json, read_manifest
from isoglot.config import TeacherConfig
from isoglot.encode.locate import locate
from isoglot.evaluate.task import Space
from isoglot.progress import Progress, Task
from isoglot.student.folder import CARD
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher, encode_each
from isoglot.teacher.store import Store, key_of

_CHUNK_ROWS = 1024  # a second or two of a small encoder on two cores; an interruption loses no more
_ZERO = np.float32(1e-15)  # stands for a zero vector in a store, which refuses those
_MODEL_FILES = (".json", ".safetensors", ".txt", ".model")


@dataclass(frozen=True)
class Subject:
    """What is evaluated.

    Attributes:
        model: the user's word for it.
        folder: of a student that isoglot made; None: any other encoder.
        card: the student's isoglot.json; empty for others.
    """

    model: str
    folder: Path | None
    card: Mapping[str, Any]

    @classmethod
    def of(cls, model: str) -> Subject:
        """Look whether it is a student of ours."""
        folder = Path(model).expanduser()
        if not (folder / CARD).is_file():
            return cls(model, None, {})
        return cls(model, folder, read_json(folder / CARD))

    @property
    def teacher(self) -> Mapping[str, Any] | None:
        """What the card says of the teacher; None: there is no card, or the student had no teacher."""
        found: Mapping[str, Any] | None = self.card.get("teacher")
        return found

    def open(self) -> Teacher:
        """Load the encoder.

        Raises:
            RequestError: there is none of that name.
            IsoglotError: a download or an endpoint failed.
        """
        return open_teacher(TeacherConfig(model=self.model))[0]

    def contaminated(self, test_set: str) -> bool | None:
        """Whether the student was trained on sentences of a test set; None: nobody looked."""
        of = self.card.get("leaks", {}).get("test_sets", {}).get(test_set)
        return None if of is None else bool(of["contaminated"])


def identity(model: str) -> str | None:
    """Digest of a model folder, without loading it; None for what is none: an address, a file with others beside."""
    path = Path(model).expanduser()
    if "://" in model or path.is_file():
        return None
    folder = path if path.is_dir() else locate(model).folder
    if (folder / MANIFEST).is_file():
        return read_manifest(folder).digest
    files = sorted(file for file in folder.rglob("*") if file.suffix in _MODEL_FILES and file.is_file())
    return digest_json({str(file.relative_to(folder)): digest_file(file) for file in files})


def space_of(stores: Sequence[Store], texts: Sequence[str]) -> Space:
    """Vectors of distinct texts, each from the first store that has it; all stores are of one space.

    Where each vector is, is looked up once: tasks share texts, and ask again and again.
    """
    keys = [key_of(text) for text in texts]
    owner, numbers = np.full(len(keys), -1, np.int16), np.zeros(len(keys), np.int64)
    for place, store in enumerate(stores):
        found, held = store.find(keys)
        new = held & (owner < 0)
        owner[new], numbers[new] = place, found[new]
    rows = {text: row for row, text in enumerate(texts) if owner[row] >= 0}

    def vectors(wanted: Sequence[str]) -> NDArray[np.float32]:
        chosen = np.fromiter((rows[text] for text in wanted), np.int64, len(wanted))
        result = np.zeros((len(wanted), stores[0].dimension), np.float32)
        for place, store in enumerate(stores):
            own = owner[chosen] == place
            result[own] = store.read(numbers[chosen[own]])
        result[np.abs(result).max(axis=1, initial=0) <= _ZERO] = 0
        return result

    space = stores[0].space
    return Space(vectors, str(space["fingerprint"]), str(space.get("precision", "")))


def lacking(texts: Iterable[str], stores: Sequence[Store]) -> list[str]:
    """Distinct texts that no store has a vector for, in order."""
    distinct = list(dict.fromkeys(texts))
    if not stores or not distinct:
        return distinct
    keys = [key_of(text) for text in distinct]
    held = np.any([store.find(keys)[1] for store in stores], axis=0)
    return [text for text, there in zip(distinct, held, strict=True) if not there]


class Remembering:
    """An encoder whose vectors come from its store, which gets those that it lacks.

    Args:
        encoder: the encoder.
        folder: below it is the store of the encoder's space.
        label: the encoder's name for people.
        progress: where to report.
    """

    def __init__(self, encoder: Teacher, folder: Path, label: str, progress: Progress) -> None:
        self.encoder, self.folder, self.label, self.progress = encoder, folder, label, progress
        self.dimension, self.normalise, self.missing = encoder.dimension, encoder.normalise, encoder.missing
        self._space = encoder.space()  # once: it reads all weights

    def space(self) -> Mapping[str, object]:
        """Parts and digest of the encoder's space."""
        return self._space

    def store(self, texts: Sequence[str]) -> Store:
        """Put the vectors of texts into the store; what is there stays.

        Texts that differ in their Unicode normal form alone share one vector.

        Raises:
            IsoglotError: the encoder gives vectors that are not finite, or the disk is full.
        """
        config = TeacherConfig(model=self.label, chunk_rows=_CHUNK_ROWS, store_precision="fp32")
        arithmetic = self._space.get("precision", "")  # another machine's vectors may be of another
        target = self.folder / f"{str(self._space['fingerprint'])[:16]}{arithmetic and f'-{arithmetic}'}"
        return embed(
            texts, _Nonzero(self), config, target, _Renamed(self.progress, f"vectors of {self.label}")
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i."""
        return space_of([self.store(texts)], list(dict.fromkeys(texts))).vectors(texts)


class _Nonzero:
    """An encoder whose zero vectors a store takes: a static model has none for a text without a known token."""

    def __init__(self, owner: Remembering) -> None:
        self._encoder = owner.encoder
        self.dimension, self.normalise, self.missing = owner.dimension, owner.normalise, owner.missing
        self.space = owner.space

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._marked(self._encoder.encode(texts))

    def encode_each(self, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        return map(self._marked, encode_each(self._encoder, lists))

    def _marked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        empty = ~vectors.any(axis=1)
        if empty.any():
            vectors = vectors.copy()
            vectors[empty, 0] = _ZERO
        return vectors


@dataclass(frozen=True)
class _Renamed:
    """Reports a task under another name."""

    progress: Progress
    label: str

    def task(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        return self.progress.task(self.label, total, unit)

    def stage(self, name: str, summary: str) -> None:
        self.progress.stage(name, summary)
