"""How close the student's vectors are to the teacher's, and whether they keep the teacher's similarities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.retrieval import normalised


def mean_squared_error(vectors: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Mean over rows and components of the squared difference; both float [n, d]."""
    return float(np.square(vectors.astype(np.float64) - targets).mean())


def r_squared(vectors: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Share of the targets' variance that the vectors explain: 1 - sum |v - t|^2 / sum |t - mean(t)|^2.

    A student that always gives the mean vector has 0, however small its mean squared error looks.
    """
    exact = targets.astype(np.float64)
    spread = float(np.square(exact - exact.mean(axis=0)).sum())
    return 1.0 - float(np.square(vectors - exact).sum()) / max(spread, 1e-30)


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, ties sharing their mean rank; 0 when a side is constant."""
    a, b = _ranks(x), _ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else 0.0


def pair_spearman(
    vectors: NDArray[np.float32], targets: NDArray[np.float32], pairs: NDArray[np.int64]
) -> float:
    """Rank correlation between the student's and the teacher's cosines over the same pairs of sentences.

    Args:
        vectors: float [n, d], the student's.
        targets: float [n, e], the teacher's, of the same sentences or their originals.
        pairs: int [p, 2], row numbers.
    """
    ours, theirs = normalised(vectors), normalised(targets)
    left, right = pairs[:, 0], pairs[:, 1]
    return spearman((ours[left] * ours[right]).sum(1), (theirs[left] * theirs[right]).sum(1))


def effective_rank(vectors: NDArray[np.float32]) -> float:
    """Exponential of the entropy of the normalised singular values (Roy & Vetterli 2007), 1..min(n, d)."""
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    share = singular / max(float(singular.sum()), 1e-30)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def mean_cosine(vectors: NDArray[np.float32]) -> float:
    """Mean cosine of all pairs of different rows."""
    unit = normalised(vectors).astype(np.float64)
    n = len(unit)
    total = float(np.square(unit.sum(axis=0)).sum()) - float(np.square(unit).sum())
    return total / max(1, n * (n - 1))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: NDArray[np.float64] = (ends - (counts - 1) / 2.0)[inverse]
    return middle
