"""How languages are mixed: which translations of a source sentence an epoch draws, and the shares that gives.

Temperature sampling gives a language of n translations the weight n ** temperature (Arivazhagan et al. 2019,
arXiv:1907.05019, where it is 1 / T). Here an epoch visits every source sentence once, and the weights decide only
between the translations of one sentence: a corpus in which every sentence has one translation keeps its proportions
at any temperature. Shares are therefore counted on a draw, and not worked out from the sizes alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def language_weights(sizes: NDArray[np.int64], temperature: float) -> NDArray[np.float64]:
    """Relative chance of drawing one translation of each language, in proportion to size ** (temperature - 1).

    Args:
        sizes: int [languages], translations per language.
        temperature: 1 keeps the corpus's proportions, 0 makes all languages equal.

    Returns:
        float64 [languages], largest 1 (the rarest language); 0 for a language without translations.
    """
    weights = np.where(sizes > 0, np.maximum(sizes, 1.0) ** (temperature - 1.0), 0.0)
    relative: NDArray[np.float64] = weights / max(float(weights.max(initial=0.0)), 1e-300)
    return relative


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


def shares(language: NDArray[np.int16], drawn: NDArray[np.int64], languages: int) -> NDArray[np.float64]:
    """Share of each language among drawn translations.

    Args:
        language: int [m], language of each translation.
        drawn: int, positions in `language`, such as `draw_translations` gives.
        languages: how many there are.

    Returns:
        float64 [languages], sum 1; all 0 when nothing was drawn.
    """
    counts = np.bincount(language[drawn], minlength=languages)
    share: NDArray[np.float64] = counts / max(len(drawn), 1)
    return share
