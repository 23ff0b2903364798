"""Which pairs are no translations: their student vector is far from where the teacher puts the source sentence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TO_SIGMA = 1.4826  # of a normal distribution, over its median absolute deviation
FEWEST = 30  # pairs of a language that its own median and deviation are taken from; fewer borrow those of all


def excess(
    teacher: NDArray[np.float32],
    sources: NDArray[np.float32],
    targets: NDArray[np.float32],
    group: NDArray[np.int64],
) -> NDArray[np.float32]:
    """How much farther a translation lies from its source sentence's vectors than these lie from each other.

    With y the teacher's and s the student's vector of the source sentence and t the student's of the translation, this
    is |t - y|^2 - |s - y|^2 + |t - s|^2 = 2 (t - s) (t - y). What is hard for the student in every language does not
    count; the last term makes it surer (measured in docs/experiments.md).

    Args:
        teacher: float [n, d], y.
        sources: float [n, d], s.
        targets: float [m, d], t.
        group: int [m], the source sentence of each translation.

    Returns:
        float32 [m], squared distances; 0 where a translation lies on either vector of its source.
    """
    found: NDArray[np.float32] = 2 * ((targets - sources[group]) * (targets - teacher[group])).sum(axis=1)
    return found


def robust_scores(values: NDArray[np.float32], language: NDArray[np.int16]) -> NDArray[np.float32]:
    """Distance of each value from the median of its language, in robust standard deviations.

    The deviation is 1.4826 times the median absolute deviation, which up to half of the pairs cannot spoil
    (Rousseeuw & Croux 1993, https://doi.org/10.1080/01621459.1993.10476408). A language with fewer than `FEWEST`
    values takes median and deviation of all values.

    Args:
        values: float [m].
        language: int [m].

    Returns:
        float32 [m], 0 at the median, higher for what is farther off than usual.
    """
    scores = np.zeros(len(values), np.float32)
    if not len(values):
        return scores
    overall = _median_and_deviation(values)
    for number in np.unique(language):
        rows = np.flatnonzero(language == number)
        middle, deviation = _median_and_deviation(values[rows]) if len(rows) >= FEWEST else overall
        scores[rows] = (values[rows] - middle) / deviation
    return scores


def _median_and_deviation(values: NDArray[np.float32]) -> tuple[float, float]:
    middle = float(np.median(values))
    return middle, max(_TO_SIGMA * float(np.median(np.abs(values - middle))), 1e-6)
