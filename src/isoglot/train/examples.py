"""What is learned: texts with the teacher vector that each should land on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from isoglot.corpus.store import Groups
    from isoglot.encode.tokens import Tokenizer, Tokens
    from isoglot.teacher.store import Store


@dataclass(frozen=True)
class Examples:
    """All texts of the train split: first the n sources, then their m translations.

    Attributes:
        texts: [n + m].
        tokens: their ids, prompt included.
        group: int32 [n + m], which source each text says; source i has group i.
        language: int16 [n + m], index into `languages`, -1 for sources.
        vectors: float32 [n, dimension], the teacher's vector of each source.
        languages: the target languages.
    """

    texts: list[str]
    tokens: Tokens
    group: NDArray[np.int32]
    language: NDArray[np.int16]
    vectors: NDArray[np.float32]
    languages: tuple[str, ...]

    @property
    def sources(self) -> int:
        """Number of groups n."""
        return len(self.vectors)


def collect(groups: Groups, store: Store, tokenizer: Tokenizer, prompt: str) -> Examples:
    """Tokenise a split once and resolve its teacher vectors once."""
    texts = groups.sources + groups.targets
    own = np.arange(len(groups.sources), dtype=np.int32)
    return Examples(
        texts=texts,
        tokens=tokenizer(texts, prompt),
        group=np.concatenate([own, groups.group.astype(np.int32)]),
        language=np.concatenate([np.full(len(own), -1, np.int16), groups.language.astype(np.int16)]),
        vectors=store.vectors(groups.sources),
        languages=groups.languages,
    )
