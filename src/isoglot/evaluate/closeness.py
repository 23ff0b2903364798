"""How close the student's vectors are to the teacher's, and whether they keep the teacher's similarities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.retrieval import normalised
from isoglot.evaluate.statistics import spearman


@dataclass(frozen=True, eq=False)
class Fit:
    """How well vectors meet their targets, as sums over rows: fits of parts of the data add up to that of the whole.

    Attributes:
        rows: how many.
        errors: sum of |v - t|^2.
        cosines: sum of cos(v, t).
        mean: float64 [d], of the targets.
        spread: sum of |t - mean|^2.
    """

    rows: int
    errors: float
    cosines: float
    mean: NDArray[np.float64]
    spread: float

    def __add__(self, other: Fit) -> Fit:
        """The fit of both parts together (Chan, Golub & LeVeque 1983: spreads about different means)."""
        rows = self.rows + other.rows
        apart = other.mean - self.mean
        share = other.rows / max(rows, 1)
        between = float(apart @ apart) * self.rows * share
        return Fit(
            rows=rows,
            errors=self.errors + other.errors,
            cosines=self.cosines + other.cosines,
            mean=self.mean + apart * share,
            spread=self.spread + other.spread + between,
        )

    @property
    def mean_squared_error(self) -> float:
        """Mean over rows and components of the squared difference."""
        return self.errors / max(self.rows * len(self.mean), 1)

    @property
    def r_squared(self) -> float:
        """Share of the targets' variance that the vectors explain: 1 - sum |v - t|^2 / sum |t - mean(t)|^2.

        A student that always gives the mean vector has 0, however small its mean squared error looks.
        """
        return 1.0 - self.errors / max(self.spread, 1e-30)

    @property
    def mean_cosine(self) -> float:
        """Mean cosine of a vector and its own target, -1..1; a zero vector counts as 0."""
        return self.cosines / max(self.rows, 1)


def fit(vectors: NDArray[np.float32], targets: NDArray[np.float32]) -> Fit:
    """Compare vectors float [n, d] with their targets, row by row."""
    ours, exact = vectors.astype(np.float64), targets.astype(np.float64)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(exact, axis=1)
    cosines = np.einsum("nd,nd->n", ours, exact) / np.maximum(lengths, 1e-30)
    ours -= exact
    mean = exact.mean(axis=0) if len(exact) else np.zeros(exact.shape[1])
    exact -= mean
    return Fit(
        len(exact), float(np.vdot(ours, ours)), float(cosines.sum()), mean, float(np.vdot(exact, exact))
    )


def mean_squared_error(vectors: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Mean over rows and components of the squared difference; both float [n, d]."""
    return fit(vectors, targets).mean_squared_error


def r_squared(vectors: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Share of the targets' variance that the vectors explain (`Fit.r_squared`); both float [n, d]."""
    return fit(vectors, targets).r_squared


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


def principal_variances(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Variances along the principal axes, largest first: squared singular values of the centred rows.

    They come from the smaller of the two Gram matrices, which takes a third of the time of a singular value
    decomposition; what is below its rounding is set to 0.

    Args:
        vectors: float [n, d].

    Returns:
        float64 [min(n, d)].
    """
    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0)
    wide = len(centred) < centred.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred
    variances = np.linalg.eigvalsh(gram)[::-1]
    rounding = float(variances[0]) * len(variances) * np.finfo(np.float64).eps
    clean: NDArray[np.float64] = np.where(variances > rounding, variances, 0.0)
    return clean


def effective_rank(vectors: NDArray[np.float32]) -> float:
    """Exponential of the entropy of the normalised singular values of the centred rows, 1..min(n, d).

    Roy & Vetterli 2007, "The effective rank: a measure of effective dimensionality", equation 4. Rows that are all
    equal have 1.
    """
    return rank_of(principal_variances(vectors))


def rank_of(variances: NDArray[np.float64]) -> float:
    """Effective rank out of `principal_variances`."""
    singular = np.sqrt(variances)
    share = singular / max(float(singular.sum()), 1e-30)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def mean_cosine(vectors: NDArray[np.float32]) -> float:
    """Mean cosine of all pairs of different rows, -1..1: 0 in a space that is used evenly, near 1 in a narrow cone.

    Ethayarajh 2019 (arXiv:1909.00512) draws random pairs; the mean over all of them takes one pass.
    """
    unit = normalised(vectors).astype(np.float64)
    n = len(unit)
    total = float(np.square(unit.sum(axis=0)).sum()) - float(np.square(unit).sum())
    return total / max(1, n * (n - 1))
