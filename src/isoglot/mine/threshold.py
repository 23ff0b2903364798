"""Where to cut mined pairs: precision, recall and F1 as the BUCC shared task defines them.

Zweigenbaum, Sharoff and Rapp 2018, Overview of the Third BUCC Shared Task, section 3: a pair is right when the gold
standard has it; the threshold that is best on training data is applied to test data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cut:
    """What pairs of a score of `threshold` or more are worth; precision, recall and F1 are 0..1."""

    threshold: float
    precision: float
    recall: float
    f1: float


def best_cut(scores: NDArray[np.floating], right: NDArray[np.bool_], gold: int) -> Cut:
    """Find the threshold of highest F1; among equally good ones the highest.

    The threshold lies in the middle between the lowest score kept and the next lower one (as LASER chooses it), or on
    the lowest score when every pair is kept.

    Args:
        scores: float [p] of the mined pairs, in any order.
        right: bool [p], whether the gold standard has the pair.
        gold: pairs of the gold standard.

    Returns:
        The cut; with no right pair at all nothing is kept: the threshold is infinite, all else 0.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    ordered, hits = np.asarray(scores, np.float64)[order], np.cumsum(np.asarray(right)[order])
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.arange(0)
    if not len(last) or not hits[-1]:
        return Cut(float("inf"), 0.0, 0.0, 0.0)
    f1 = 2 * hits[last] / (last + 1 + gold)
    place = last[f1.argmax()]
    following = ordered[min(place + 1, len(ordered) - 1)]
    return cut_at(scores, right, gold, float((ordered[place] + following) / 2))


def cut_at(scores: NDArray[np.floating], right: NDArray[np.bool_], gold: int, threshold: float) -> Cut:
    """Score the pairs of `threshold` or more; arguments as for `best_cut`."""
    kept = np.asarray(scores) >= threshold
    hits, extracted = int(np.asarray(right)[kept].sum()), int(kept.sum())
    precision, recall = hits / extracted if extracted else 0.0, hits / gold if gold else 0.0
    return Cut(threshold, precision, recall, 2 * hits / (extracted + gold) if hits else 0.0)
