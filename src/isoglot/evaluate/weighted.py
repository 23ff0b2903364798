"""Statistics of items that stand for several each: prepared once, then computed for many samples at a time.

A bootstrap sample is how often each item was drawn. What depends on the items alone, such as their order, is worked out
once; for a block of samples there are only sums left to make.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.score import Statistic

Floats = NDArray[np.float64]
Weights = NDArray[np.int64]
OfWeights = Callable[[Weights], Floats]  # int64 [samples, items] -> float64 [samples]


def prepare(statistic: Statistic, rows: Floats) -> OfWeights:
    """Give the function from weights, int64 [samples, n], to the statistic of each sample, float64 [samples].

    Args:
        statistic: which number.
        rows: float64 [n, columns], the items, in any order and with any repetition.
    """
    return _PREPARE[statistic](rows)


def _mean(rows: Floats) -> OfWeights:
    return lambda weights: _ratio(weights @ rows[:, 0], weights.sum(axis=1))


def _pearson(rows: Floats) -> OfWeights:
    return lambda weights: _correlation(weights, rows[:, 0], rows[:, 1])


def _spearman(rows: Floats) -> OfWeights:
    x, y = _ranks(rows[:, 0]), _ranks(rows[:, 1])
    return lambda weights: _correlation(weights, x(weights), y(weights))


def _precision(rows: Floats) -> OfWeights:
    return lambda weights: _ratio(weights @ rows[:, 2], weights @ rows[:, 0])


def _recall(rows: Floats) -> OfWeights:
    return lambda weights: _ratio(weights @ rows[:, 2], weights @ rows[:, 1])


def _f1(rows: Floats) -> OfWeights:
    """Harmonic mean of precision b/p and recall b/g: 2 b / (p + g)."""
    return lambda weights: _ratio(2 * (weights @ rows[:, 2]), weights @ (rows[:, 0] + rows[:, 1]))


def _v_measure(rows: Floats) -> OfWeights:
    """Harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg 2007, https://aclanthology.org/D07-1043).

    Both are the mutual information I of clusters K and labels C, over H(C) and over H(K), so V = 2 I / (H(C) + H(K)).
    """
    of_cluster, of_label, of_both = (
        _sums(_groups(rows[:, 0])),
        _sums(_groups(rows[:, 1])),
        _sums(_groups(rows)),
    )

    def compute(weights: Weights) -> Floats:
        alone = _entropy(of_cluster(weights)) + _entropy(of_label(weights))
        shared = alone - _entropy(of_both(weights))
        # a single cluster of a single label is right
        found: Floats = np.where(alone == 0, 1.0, np.maximum(_ratio(2 * shared, alone), 0.0))
        return found

    return compute


def _pooled_spearman(rows: Floats) -> OfWeights:
    """Spearman of all pairs of all sets in one; a row that is in several sets is drawn in all of them together."""
    there = ~np.isnan(rows[:, :-1])
    place = np.nonzero(there)[0]
    pooled = _spearman(np.stack([rows[:, :-1][there], rows[place, -1]], axis=1))
    return lambda weights: pooled(weights[:, place])


def _mean_spearman(rows: Floats) -> OfWeights:
    """Mean of the Spearman of each set."""
    places = [np.flatnonzero(there) for there in ~np.isnan(rows[:, :-1].T)]
    sets = [_spearman(rows[place][:, [number, -1]]) for number, place in enumerate(places)]

    def compute(weights: Weights) -> Floats:
        found = [of(weights[:, place]) for of, place in zip(sets, places, strict=True)]
        mean: Floats = np.mean(found, axis=0)
        return mean

    return compute


def _pooled_minus_mean_spearman(rows: Floats) -> OfWeights:
    pooled, mean = _pooled_spearman(rows), _mean_spearman(rows)
    return lambda weights: pooled(weights) - mean(weights)


_PREPARE: dict[Statistic, Callable[[Floats], OfWeights]] = {
    "mean": _mean,
    "spearman": _spearman,
    "pearson": _pearson,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "v-measure": _v_measure,
    "pooled-spearman": _pooled_spearman,
    "mean-spearman": _mean_spearman,
    "pooled-minus-mean-spearman": _pooled_minus_mean_spearman,
}


def _ranks(values: Floats) -> OfWeights:
    """Rank of every value among the values repeated by their weights, ties sharing their mean rank: [s, n].

    Nothing is sorted again: a rank is the weight of all smaller values plus the middle of its own group of ties.
    """
    group = _groups(values)
    sums = _sums(group)

    def compute(weights: Weights) -> Floats:
        sizes = sums(weights)
        middle: Floats = (np.cumsum(sizes, axis=1) - (sizes - 1) / 2)[:, group]
        return middle

    return compute


def _groups(values: Floats) -> NDArray[np.int64]:
    """Number of each value, or row, among the distinct ones in their order: [n]."""
    _, group = np.unique(values, axis=0, return_inverse=True)
    return group.ravel()


def _sums(group: NDArray[np.int64]) -> Callable[[Weights], Weights]:
    """Give the function that sums the weights [s, n] of the members of each of g groups: [s, g]."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    if len(starts) == len(group):
        return lambda weights: weights[:, order]
    return lambda weights: np.add.reduceat(weights[:, order], starts, axis=1)


def _correlation(weights: Weights, x: Floats, y: Floats) -> Floats:
    """Pearson's correlation of x and y, each [n] or [s, n], under each row of the weights [s, n]; 0 if undefined."""
    total = weights.sum(axis=1, keepdims=True)
    x = x - (weights * x).sum(axis=1, keepdims=True) / total
    y = y - (weights * y).sum(axis=1, keepdims=True) / total
    weighted = weights * x
    scale = np.sqrt((weighted * x).sum(axis=1) * (weights * y * y).sum(axis=1))
    return _ratio((weighted * y).sum(axis=1), scale)


def _entropy(weights: Weights) -> Floats:
    """Entropy of each row of weights taken as a distribution, in nats."""
    share = weights / weights.sum(axis=1, keepdims=True)
    found: Floats = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    return found


def _ratio(above: Floats, below: Floats | Weights) -> Floats:
    """Quotient, 0 where the divisor is 0."""
    found: Floats = np.divide(above, below, out=np.zeros(len(below)), where=below != 0)
    return found
