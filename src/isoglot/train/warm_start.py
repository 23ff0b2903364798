"""The closed-form start: ridge regression from the frozen student's features to the teacher's vectors.

The solution becomes the student's last Dense layer, so the student stands in the teacher's space before the first
step of training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import IsoglotError
from isoglot.objective.texts import ParallelTexts

if TYPE_CHECKING:
    from isoglot.encode.model import Dense


def choose_rows(examples: ParallelTexts, wanted: int, seed: int) -> NDArray[np.int64]:
    """Choose texts for the regression: sources and every language in equal shares as far as they go.

    Returns:
        int64, at most `wanted` rows of `examples`, ascending.
    """
    random = np.random.default_rng((seed, 3))
    pools = [np.flatnonzero(examples.language == code) for code in range(-1, len(examples.languages))]
    chosen: list[NDArray[np.int64]] = []
    left = min(wanted, len(examples.language))
    for place, pool in enumerate(sorted(pools, key=len)):
        share = min(len(pool), left // (len(pools) - place))
        chosen.append(random.choice(pool, share, replace=False))
        left -= share
    return np.sort(np.concatenate(chosen))


def solve_ridge(
    features: NDArray[np.float32], targets: NDArray[np.float32], strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Ridge regression with an unpenalised intercept, in float64.

    Args:
        features: float [n, f].
        targets: float [n, d].
        strength: penalty as a multiple of the mean feature variance.

    Returns:
        float32 weights [d, f] and bias [d], as a Dense layer holds them.

    Raises:
        IsoglotError: the features are constant or not finite.
    """
    x, y = features.astype(np.float64), targets.astype(np.float64)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x -= mean_x
    y -= mean_y
    gram = x.T @ x
    scale = float(np.trace(gram)) / len(gram)
    if not np.isfinite(scale) or scale == 0:
        raise IsoglotError(
            "The untouched student gives the same or non-finite features for all sentences.",
            "Check the student folder: its weights may be damaged or untrained.",
        )
    gram[np.diag_indices_from(gram)] += strength * scale
    weights = np.linalg.solve(gram, x.T @ y).T
    return weights.astype(np.float32), (mean_y - weights @ mean_x).astype(np.float32)


def ridge_layer(features: NDArray[np.float32], targets: NDArray[np.float32], strength: float) -> Dense:
    """Solve the regression and give it as a Dense layer."""
    import torch

    from isoglot.encode.model import Dense

    weights, bias = solve_ridge(features, targets, strength)
    layer = Dense(weights.shape[1], weights.shape[0])
    with torch.no_grad():
        layer.linear.weight.copy_(torch.from_numpy(weights))
        layer.linear.bias.copy_(torch.from_numpy(bias))
    return layer
