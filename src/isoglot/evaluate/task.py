"""What a task of the evaluation is: it names its sentences, gets their vectors, and gives scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.score import Score

Lookup = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Space:
    """An encoder that has seen all sentences of all tasks already.

    Attributes:
        vectors: gives float32 [len(texts), dimension], row i for text i; only texts that a task has named.
        fingerprint: of the encoder.
        precision: arithmetic of its products, such as "bf16"; empty where it has none or does not say.
    """

    vectors: Lookup
    fingerprint: str
    precision: str = ""


class Task(Protocol):
    """One test set under one protocol, in one language, between two, or over several."""

    @property
    def name(self) -> str:
        """The kind of task: sts, search, mining, bias or clustering."""

    @property
    def test_set(self) -> str:
        """Whose sentences."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of the languages in it."""

    def texts(self) -> Iterable[str]:
        """Give every text whose vector the model must give; repeats allowed."""

    def teacher_texts(self) -> Iterable[str]:
        """Give every text whose vector the teacher must give; none where the task does not look at the teacher."""

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """Score the model; `teacher` is None when there is none, and scores against it are then left out."""
