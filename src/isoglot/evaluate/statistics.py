"""Numbers from items, and how far they could be off: the statistics of scores, and their bootstrap.

A statistic sees the distinct items and how often each occurs. So one function gives the measured number (the weights
are counts) and those of all bootstrap samples at once (the weights are drawn from a multinomial distribution, which is
the same as drawing n items with replacement).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import RequestError
from isoglot.evaluate.score import Statistic

Items = NDArray[np.floating | np.integer | np.bool_]
Weights = NDArray[np.int64]
Floats = NDArray[np.float64]

SAMPLES = 1000
_BOUNDS = (2.5, 97.5)  # percentiles of a 95 % interval
_CELLS = 1 << 18  # weights that are worked on at once: 2 MiB, so that they stay in the processor's cache


@dataclass(frozen=True)
class PairedDifference:
    """How much better one model is than another on the same items.

    Attributes:
        difference: value of the first minus value of the second.
        low: lower bound of the 95 % bootstrap interval of the difference.
        high: upper bound.
        p: two-sided: how often chance alone gives a difference that is at least so far from none, 0..1.
    """

    difference: float
    low: float
    high: float
    p: float


def value(statistic: Statistic, items: Items) -> float:
    """Compute a score from its items; what the columns of each statistic are says `evaluate.score`.

    Args:
        statistic: which number.
        items: float [n, columns], at least one row.

    Returns:
        mean, precision, recall, f1 and v-measure 0..1, correlations -1..1; 0 where it is not defined (a correlation
        with a constant side, a precision without predictions).

    Raises:
        RequestError: there are no items.
    """
    rows, counts = _distinct(items)
    return float(_COMPUTE[statistic](rows, counts[None, :])[0])


def interval(
    statistic: Statistic, items: Items, seed: int = 0, samples: int = SAMPLES
) -> tuple[float, float]:
    """Bounds of the 95 % percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13).

    Samples with repeated items have lower entropies than what they are drawn from, which makes their V-measures too
    high, so much that the measured one can lie outside; these are shifted to have the measured value as their mean.

    Raises:
        RequestError: there are no items.
    """
    rows, counts = _distinct(items)
    compute = _COMPUTE[statistic]
    drawn = np.concatenate([compute(rows, weights) for weights in _draw(counts, seed, samples)])
    if statistic == "v-measure":
        drawn = np.clip(drawn - drawn.mean() + compute(rows, counts[None, :])[0], 0, 1)
    return bounds(drawn)


def paired_difference(
    statistic: Statistic,
    items_a: Items,
    items_b: Items,
    seed: int = 0,
    samples: int = SAMPLES,
) -> PairedDifference:
    """Paired bootstrap (Koehn 2004, https://aclanthology.org/W04-3250): both models on the same drawn items.

    p is twice the share of samples in which the difference is on the other side of zero or none, counting the
    measured items as one more sample, so it is never 0.

    Args:
        statistic: which number.
        items_a: float [n, columns], of the first model.
        items_b: float [n, columns], of the second; row i is the same item.
        seed: of the drawing.
        samples: how many.

    Raises:
        RequestError: there are no items, or not the same number of them.
    """
    if items_a.shape != items_b.shape:
        raise RequestError(
            f"Scores of {len(items_a)} and of {len(items_b)} items cannot be compared in pairs.",
            "Evaluate both models on the same test sets.",
        )
    columns = items_a.shape[1]
    rows, counts = _distinct(np.hstack([items_a, items_b]))
    compute = _COMPUTE[statistic]

    def differences(weights: Weights) -> Floats:
        return compute(rows[:, :columns], weights) - compute(rows[:, columns:], weights)

    drawn = np.concatenate([differences(weights) for weights in _draw(counts, seed, samples)])
    return summarised(float(differences(counts[None, :])[0]), drawn)


def summarised(difference: float, drawn: Floats) -> PairedDifference:
    """Interval and p of a measured difference, from its values in the bootstrap samples, float64 [samples]."""
    low, high = bounds(drawn)
    beyond = 1 + min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return PairedDifference(difference, low, high, min(1.0, 2 * beyond / (len(drawn) + 1)))


def bounds(drawn: Floats) -> tuple[float, float]:
    """The 95 % interval of a number from its values in the bootstrap samples, float64 [samples]."""
    low, high = np.percentile(drawn, _BOUNDS)
    return float(low), float(high)


def of_samples(statistic: Statistic, items: Items, weights: Weights) -> Floats:
    """Compute a score in given samples, so that several scores can be drawn together.

    Args:
        statistic: which number.
        items: float [n, columns].
        weights: int64 [samples, n], how often each item is in each sample.

    Returns:
        float64 [samples].
    """
    rows = items.astype(np.float64)
    if statistic == "v-measure":  # which counts pairs of cluster and label, so equal rows must be one
        rows, group = np.unique(rows, axis=0, return_inverse=True)
        weights = _grouped(weights, group)
    return _COMPUTE[statistic](rows, weights)


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation of two float [n], ties sharing their mean rank; 0 when a side is constant."""
    once = np.ones((1, len(x)), np.int64)
    return float(_correlation(once, _weighted_ranks(x, once), _weighted_ranks(y, once))[0])


def _distinct(items: Items) -> tuple[Floats, Weights]:
    """The distinct rows, and how often each occurs."""
    if not len(items):
        raise RequestError("A score of no items has no value.", "Give a test set that is not empty.")
    rows, counts = np.unique(items, axis=0, return_counts=True)
    return rows.astype(np.float64), counts.astype(np.int64)


def _draw(counts: Weights, seed: int, samples: int) -> Iterator[Weights]:
    """Yield int64 [block, rows]: how often each distinct row is drawn in each of `samples` samples."""
    random = np.random.default_rng(seed)
    total = int(counts.sum())
    block = max(1, _CELLS // len(counts))
    for start in range(0, samples, block):
        yield random.multinomial(total, counts / total, size=min(block, samples - start))


def _mean(rows: Floats, weights: Weights) -> Floats:
    return _ratio(weights @ rows[:, 0], weights.sum(axis=1))


def _pearson(rows: Floats, weights: Weights) -> Floats:
    return _correlation(weights, rows[:, 0], rows[:, 1])


def _spearman(rows: Floats, weights: Weights) -> Floats:
    return _correlation(weights, _weighted_ranks(rows[:, 0], weights), _weighted_ranks(rows[:, 1], weights))


def _precision(rows: Floats, weights: Weights) -> Floats:
    return _ratio(weights @ rows[:, 2], weights @ rows[:, 0])


def _recall(rows: Floats, weights: Weights) -> Floats:
    return _ratio(weights @ rows[:, 2], weights @ rows[:, 1])


def _f1(rows: Floats, weights: Weights) -> Floats:
    """Harmonic mean of precision b/p and recall b/g: 2 b / (p + g)."""
    return _ratio(2 * (weights @ rows[:, 2]), weights @ (rows[:, 0] + rows[:, 1]))


def _v_measure(rows: Floats, weights: Weights) -> Floats:
    """Harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg 2007, https://aclanthology.org/D07-1043).

    Both are the mutual information I of clusters K and labels C, over H(C) and over H(K), so V = 2 I / (H(C) + H(K)).
    """
    clusters, labels = _entropy(_totals(rows[:, 0], weights)), _entropy(_totals(rows[:, 1], weights))
    shared = clusters + labels - _entropy(weights)  # distinct rows are distinct pairs of cluster and label
    one_of_each = (clusters + labels) == 0  # a single cluster of a single label is right
    found: Floats = np.where(one_of_each, 1.0, np.maximum(_ratio(2 * shared, clusters + labels), 0.0))
    return found


_COMPUTE: dict[Statistic, Callable[[Floats, Weights], Floats]] = {
    "mean": _mean,
    "spearman": _spearman,
    "pearson": _pearson,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "v-measure": _v_measure,
}


def _weighted_ranks(values: Floats, weights: Weights) -> Floats:
    """Rank of every value among the values repeated by their weights, ties sharing their mean rank: [s, n].

    Nothing is sorted again: a rank is the weight of all smaller values plus the middle of its own group of ties.
    """
    _, group = np.unique(values, return_inverse=True)
    sizes = _grouped(weights, group)
    middle: Floats = (np.cumsum(sizes, axis=1) - (sizes - 1) / 2)[:, group]
    return middle


def _grouped(weights: Weights, group: NDArray[np.int64]) -> Weights:
    """Sum the weights [s, n] of the members of each of g groups, none of which is empty: [s, g]."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sorted_weights = weights[:, order]
    return sorted_weights if len(starts) == len(group) else np.add.reduceat(sorted_weights, starts, axis=1)


def _correlation(weights: Weights, x: Floats, y: Floats) -> Floats:
    """Pearson's correlation of x and y, each [n] or [s, n], under each row of the weights [s, n]; 0 if undefined."""
    total = weights.sum(axis=1, keepdims=True)
    x = x - (weights * x).sum(axis=1, keepdims=True) / total
    y = y - (weights * y).sum(axis=1, keepdims=True) / total
    weighted = weights * x
    scale = np.sqrt((weighted * x).sum(axis=1) * (weights * y * y).sum(axis=1))
    return _ratio((weighted * y).sum(axis=1), scale)


def _totals(values: Floats, weights: Weights) -> Weights:
    """Weight of each distinct value: [s, distinct]."""
    _, group = np.unique(values, return_inverse=True)
    return _grouped(weights, group)


def _entropy(weights: Weights) -> Floats:
    """Entropy of each row of weights taken as a distribution, in nats."""
    share = weights / weights.sum(axis=1, keepdims=True)
    found: Floats = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    return found


def _ratio(above: Floats, below: Floats | Weights) -> Floats:
    """Quotient, 0 where the divisor is 0."""
    found: Floats = np.divide(above, below, out=np.zeros(len(below)), where=below != 0)
    return found
