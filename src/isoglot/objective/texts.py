"""Texts that an objective learns from: a split of a parallel corpus, tokenised once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.corpus.mixing import draw_translations, language_weights

if TYPE_CHECKING:
    from isoglot.corpus.store import Groups
    from isoglot.encode.tokens import Tokenizer, Tokens


@dataclass(frozen=True, kw_only=True)
class ParallelTexts:
    """All texts of a split: first the n sources, then their m translations.

    Attributes:
        texts: [n + m].
        tokens: their ids, prompt included.
        group: int32 [n + m], which source each text says; source i has group i.
        language: int16 [n + m], index into `languages`, -1 for sources.
        languages: the target languages.
        weight: float32 [m], of each translation in the loss; None: all 1.
    """

    texts: list[str]
    tokens: Tokens
    group: NDArray[np.int32]
    language: NDArray[np.int16]
    languages: tuple[str, ...]
    weight: NDArray[np.float32] | None = None

    @cached_property
    def sources(self) -> int:
        """Number of groups n."""
        return int(np.count_nonzero(self.language < 0))


def parallel_texts(
    groups: Groups, tokenizer: Tokenizer, prompt: str, weight: NDArray[np.float32] | None = None
) -> ParallelTexts:
    """Tokenise a split once; `weight` is that of each translation, float32 [m]."""
    texts = groups.sources + groups.targets
    own = np.arange(len(groups.sources), dtype=np.int32)
    return ParallelTexts(
        texts=texts,
        tokens=tokenizer(texts, prompt),
        group=np.concatenate([own, groups.group.astype(np.int32)]),
        language=np.concatenate([np.full(len(own), -1, np.int16), groups.language.astype(np.int16)]),
        languages=groups.languages,
        weight=weight,
    )


def drawn_translations(texts: ParallelTexts, config: TrainConfig, seed: tuple[int, ...]) -> NDArray[np.int64]:
    """Draw the translations that an epoch visits: `targets_per_group` of each source, languages by `temperature`.

    Returns:
        int64, rows of `texts`.
    """
    first = texts.sources
    language = texts.language[first:]
    sizes = np.bincount(language, minlength=len(texts.languages))
    weights = language_weights(sizes, config.temperature)[language]
    return draw_translations(texts.group[first:], weights, config.targets_per_group, seed) + first
