"""Thresholds on scores: which is best, what one gives, and how often a score is right.

Scores here are those of which more is nearer (`indexes.metric.scores`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.compat.result import Bin, Rates

BINS = 10


class Judged(NamedTuple):
    """Scores of query-document pairs, and which of the pairs should pass a threshold.

    Attributes:
        scores: float32 [n].
        right: bool [n].
        total: how many should pass, those that were never retrieved included.
    """

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    total: int


def rates(scores: NDArray[np.float32], right: NDArray[np.bool_], total: int, threshold: float) -> Rates:
    """Precision, recall and F1 of "the score is at least the threshold".

    Args:
        scores: float32 [n].
        right: bool [n], which should pass.
        total: how many should pass, those that were never retrieved included.
        threshold: on the scores.

    Returns:
        Precision 1 where nothing passes; recall 1 where nothing should.
    """
    passed = passing(scores, threshold)
    hits, kept = int((passed & right).sum()), int(passed.sum())
    precision, recall = hits / kept if kept else 1.0, hits / total if total else 1.0
    return Rates(precision, recall, 2 * hits / (kept + total) if kept + total else 1.0)


def passing(scores: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Tell which scores pass, compared in float64: NumPy would round the threshold to float32."""
    passed: NDArray[np.bool_] = scores.astype(np.float64) >= threshold
    return passed


def best_threshold(scores: NDArray[np.float32], right: NDArray[np.bool_], total: int) -> float:
    """Find the threshold of the highest F1, halfway between the last score that passes and the next.

    Of several the highest threshold is taken. Where no score should pass it lies above all of them.

    Args:
        scores: float32 [n], n at least 1.
        right: bool [n], which should pass.
        total: how many should pass, those that were never retrieved included.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    last = np.append(ranked[1:] < ranked[:-1], True)  # equal scores pass together
    hits = np.cumsum(right[order])
    f1 = np.where(last, 2 * hits / (np.arange(1, len(ranked) + 1) + max(total, 1)), -1.0)
    place = int(f1.argmax())
    if not f1[place] > 0:
        return float(np.nextafter(ranked[0], np.inf))
    following = ranked[place + 1] if place + 1 < len(ranked) else ranked[place]
    return float((ranked[place] + following) / 2)


def bin_edges(scores: NDArray[np.float32], bins: int = BINS) -> NDArray[np.float64]:
    """Cut the range of scores into bins of one width, float64 [bins + 1]."""
    low, high = float(scores.min()), float(scores.max())
    return np.linspace(low, high if high > low else low + 1e-6, bins + 1)


def curve(
    scores: NDArray[np.float32], right: NDArray[np.bool_], edges: NDArray[np.float64]
) -> tuple[Bin, ...]:
    """Share of scores that should pass in every bin; scores beyond the outer edges count in the outer bins.

    Args:
        scores: float32 [n].
        right: bool [n], which should pass.
        edges: float64 [bins + 1], ascending.
    """
    place = np.searchsorted(edges[1:-1], scores, side="right")
    counts = np.bincount(place, minlength=len(edges) - 1)
    rights = np.bincount(place, weights=right, minlength=len(edges) - 1)
    return tuple(
        Bin(float(low), float(high), int(count), float(good / count) if count else None)
        for low, high, count, good in zip(edges[:-1], edges[1:], counts, rights, strict=True)
    )
