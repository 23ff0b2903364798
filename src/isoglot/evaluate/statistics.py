"""Numbers from items, and how far they could be off: the statistics of scores, and their bootstrap.

A statistic sees the distinct items and how often each occurs. So one function gives the measured number (the weights
are counts) and those of all bootstrap samples at once (the weights are drawn from a multinomial distribution, which is
the same as drawing n items with replacement).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import RequestError
from isoglot.evaluate.score import Statistic
from isoglot.evaluate.weighted import Floats, Weights, prepare

Items = NDArray[np.floating | np.integer | np.bool_]

SAMPLES = 1000
_BOUNDS = (2.5, 97.5)  # percentiles of a 95 % interval
_CELLS = 1 << 21  # values of items that are weighted at once: some 100 MB at the most, and few passes


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
    return float(prepare(statistic, rows)(counts[None, :])[0])


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
    compute = prepare(statistic, rows)
    drawn = np.concatenate([compute(weights) for weights in _draw(rows, counts, seed, samples)])
    if statistic == "v-measure":
        drawn = np.clip(drawn - drawn.mean() + compute(counts[None, :])[0], 0, 1)
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
    first, second = prepare(statistic, rows[:, :columns]), prepare(statistic, rows[:, columns:])

    def differences(weights: Weights) -> Floats:
        return first(weights) - second(weights)

    drawn = np.concatenate([differences(weights) for weights in _draw(rows, counts, seed, samples)])
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
    return prepare(statistic, items.astype(np.float64))(weights)


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation of two float [n], ties sharing their mean rank; 0 when a side is constant."""
    return float(prepare("spearman", np.stack([x, y], axis=1))(np.ones((1, len(x)), np.int64))[0])


def _distinct(items: Items) -> tuple[Floats, Weights]:
    """The distinct rows, and how often each occurs."""
    if not len(items):
        raise RequestError("A score of no items has no value.", "Give a test set that is not empty.")
    rows, counts = np.unique(items, axis=0, return_counts=True)
    return rows.astype(np.float64), counts.astype(np.int64)


def _draw(rows: Floats, counts: Weights, seed: int, samples: int) -> Iterator[Weights]:
    """Yield int64 [block, rows]: how often each distinct row is drawn in each of `samples` samples."""
    random = np.random.default_rng(seed)
    total = int(counts.sum())
    block = max(1, _CELLS // rows.size)
    for start in range(0, samples, block):
        yield random.multinomial(total, counts / total, size=min(block, samples - start))
