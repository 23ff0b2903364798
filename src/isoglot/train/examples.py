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


def sampling_weights(language: NDArray[np.int16], languages: int, temperature: float) -> NDArray[np.float64]:
    """Relative chance of drawing each translation so that languages come up in proportion to size ** temperature.

    Args:
        language: int [m], language of each translation.
        languages: how many there are.
        temperature: 1 keeps the corpus's proportions, 0 makes all languages equal.

    Returns:
        float64 [m], positive, largest 1 (a translation of the rarest language).
    """
    sizes = np.bincount(language, minlength=languages).astype(np.float64)
    weights = sizes[language] ** (temperature - 1.0)
    share: NDArray[np.float64] = weights / weights.max()
    return share


def draw_translations(
    group: NDArray[np.int32], weights: NDArray[np.float64], most: int, seed: tuple[int, ...]
) -> NDArray[np.int64]:
    """Draw up to `most` translations of every group without replacement, by weight.

    Weighted reservoir sampling: the largest u ** (1 / w) win (Efraimidis & Spirakis 2006).

    Args:
        group: int [m], the group of each translation.
        weights: float [m], positive.
        most: translations per group.
        seed: what the draw depends on.

    Returns:
        int64, drawn positions, grouped.
    """
    draws = np.log(np.random.default_rng(seed).random(len(group))) / weights
    order = np.lexsort((-draws, group))
    ordered = group[order]
    starts = (
        np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
    )
    rank = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    drawn: NDArray[np.int64] = order[rank < most].astype(np.int64)
    return drawn
