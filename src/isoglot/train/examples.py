"""What is learned: texts with the teacher vector that each should land on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from isoglot.corpus.store import Groups
    from isoglot.encode.tokens import Tokenizer, Tokens
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


@dataclass(frozen=True)
class Examples:
    """All texts of the train split: first the n sources, then their m translations.

    Attributes:
        texts: [n + m].
        tokens: their ids, prompt included.
        group: int32 [n + m], which source each text says; source i has group i.
        language: int16 [n + m], index into `languages`, -1 for sources.
        vectors: float32 [n, dimension], the teacher's vector of each source; they stay in the store until asked for.
        languages: the target languages.
        weight: float32 [m], of each translation in the loss; None: all 1.
    """

    texts: list[str]
    tokens: Tokens
    group: NDArray[np.int32]
    language: NDArray[np.int16]
    vectors: Vectors
    languages: tuple[str, ...]
    weight: NDArray[np.float32] | None = None

    @property
    def sources(self) -> int:
        """Number of groups n."""
        return len(self.vectors)


def collect(
    groups: Groups,
    store: Store,
    tokenizer: Tokenizer,
    prompt: str,
    weight: NDArray[np.float32] | None = None,
) -> Examples:
    """Tokenise a split once and resolve the rows of its teacher vectors once; `weight` is that of each translation."""
    texts = groups.sources + groups.targets
    own = np.arange(len(groups.sources), dtype=np.int32)
    return Examples(
        texts=texts,
        tokens=tokenizer(texts, prompt),
        group=np.concatenate([own, groups.group.astype(np.int32)]),
        language=np.concatenate([np.full(len(own), -1, np.int16), groups.language.astype(np.int16)]),
        vectors=store.table(groups.sources),
        languages=groups.languages,
        weight=weight,
    )
