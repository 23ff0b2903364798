"""The encoders of an evaluation, and the vectors that they give each distinct text once, in stores that can resume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.store import Store, key_of

_CHUNK_ROWS = 4096  # some ten seconds of a small encoder on two cores; an interruption loses no more
_ZERO = np.float32(1e-15)  # stands for a zero vector in a store, which refuses those
_MODEL_FILES = (".json", ".safetensors", ".txt", ".model", ".onnx")


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
    """Digest of a model's files, without loading it; None where there are no files, as behind an address."""
    if "://" in model:
        return None
    path = Path(model).expanduser()
    if path.is_file():
        return digest_file(path)
    folder = path if path.is_dir() else locate(model).folder
    if (folder / MANIFEST).is_file():
        return read_manifest(folder).digest
    files = sorted(file for file in folder.rglob("*") if file.suffix in _MODEL_FILES and file.is_file())
    return digest_json({str(file.relative_to(folder)): digest_file(file) for file in files})


def encoded(texts: Sequence[str], encoder: Teacher, folder: Path, progress: Progress, label: str) -> Store:
    """Put the vectors of distinct texts into the store of an encoder's space below `folder`; what is there stays.

    Texts that differ in their Unicode normal form alone share one vector.

    Raises:
        IsoglotError: the encoder gives vectors that are not finite, or the disk is full.
    """
    config = TeacherConfig(model=label, chunk_rows=_CHUNK_ROWS, store_precision="fp32")
    stored = _Stored(encoder)
    target = folder / str(stored.space()["fingerprint"])[:16]
    return embed(texts, stored, config, target, _Renamed(progress, f"vectors of {label}"))


def space_of(stores: Sequence[Store]) -> Space:
    """Vectors of texts, each from the first store that has it; all stores are of one space."""

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        keys = [key_of(text) for text in texts]
        result = np.zeros((len(keys), stores[0].dimension), np.float32)
        left = np.ones(len(keys), bool)
        for store in stores:
            numbers, held = store.find(keys)
            chosen = held & left
            result[chosen] = store.read(numbers[chosen])
            left &= ~chosen
        assert not left.any()  # noqa: S101  a task asks only for texts that it has named
        result[np.abs(result).max(axis=1) <= _ZERO] = 0
        return result

    return Space(vectors, str(stores[0].space["fingerprint"]))


def lacking(texts: Iterable[str], stores: Sequence[Store]) -> list[str]:
    """Distinct texts that no store has a vector for, in order."""
    distinct = list(dict.fromkeys(texts))
    if not stores or not distinct:
        return distinct
    keys = [key_of(text) for text in distinct]
    held = np.any([store.find(keys)[1] for store in stores], axis=0)
    return [text for text, there in zip(distinct, held, strict=True) if not there]


class _Stored:
    """An encoder whose zero vectors a store takes: a static model has none for a text without a known token."""

    def __init__(self, encoder: Teacher) -> None:
        self._encoder, self._space = encoder, encoder.space()  # once: it reads all weights
        self.dimension, self.normalise, self.missing = encoder.dimension, encoder.normalise, encoder.missing

    def space(self) -> Mapping[str, object]:
        return self._space

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = self._encoder.encode(texts)
        vectors[~vectors.any(axis=1), 0] = _ZERO
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
