"""What is distilled: texts with the teacher vector that each should land on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.objective.texts import ParallelTexts, parallel_texts

if TYPE_CHECKING:
    from isoglot.corpus.store import Groups
    from isoglot.encode.tokens import Tokenizer
    from isoglot.teacher.store import Store


class Vectors(Protocol):
    """Rows of float32 vectors, in memory or in a store: an array, or what reads as one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and dimension."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return float32 [len(rows), dimension]."""


@dataclass(frozen=True, kw_only=True)
class Examples(ParallelTexts):
    """All texts of the train split, and what they are to become.

    Attributes:
        vectors: float32 [n, dimension], the teacher's vector of each source; they stay in the store until asked for.
    """

    vectors: Vectors


def collect(
    groups: Groups,
    store: Store,
    tokenizer: Tokenizer,
    prompt: str,
    weight: NDArray[np.float32] | None = None,
) -> Examples:
    """Tokenise a split once and resolve the rows of its teacher vectors once; `weight` is that of each translation."""
    return with_vectors(parallel_texts(groups, tokenizer, prompt, weight), store.table(groups.sources))


def with_vectors(texts: ParallelTexts, vectors: Vectors) -> Examples:
    """Say what texts are to become; `vectors`: float32 [n, dimension], one of each source."""
    return Examples(
        texts=texts.texts,
        tokens=texts.tokens,
        group=texts.group,
        language=texts.language,
        languages=texts.languages,
        weight=texts.weight,
        vectors=vectors,
    )
