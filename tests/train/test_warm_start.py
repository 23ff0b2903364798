import numpy as np
import pytest
import torch

from isoglot.config import WarmStartConfig
from isoglot.errors import IsoglotError
from isoglot.train.head import train_head, widen
from isoglot.train.warm_start import ridge_layer, solve_ridge


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 12)).astype(np.float32) * random.uniform(0.1, 5, 12).astype(
        np.float32
    )
    hidden = np.tanh(features @ random.normal(size=(12, 20)))
    targets = (hidden @ random.normal(size=(20, 6)) + 0.3).astype(np.float32)
    return features, targets / np.linalg.norm(targets, axis=1, keepdims=True)


def test_ridge_equals_least_squares_on_augmented_rows(data):
    """Ridge is least squares with one extra row per feature: an independent way to the same numbers."""
    features, targets = (side.astype(np.float64) for side in data)
    weights, bias = solve_ridge(*data, 0.05)
    x, y = features - features.mean(0), targets - targets.mean(0)
    penalty = 0.05 * np.square(x).sum() / x.shape[1]
    rows = np.vstack([x, np.sqrt(penalty) * np.eye(12)])
    expected, *_ = np.linalg.lstsq(rows, np.vstack([y, np.zeros((12, 6))]), rcond=None)
    assert np.abs(weights - expected.T).max() < 1e-6
    assert np.abs(bias - (targets.mean(0) - features.mean(0) @ expected)).max() < 1e-6


def test_constant_features_are_refused():
    with pytest.raises(IsoglotError, match="same or non-finite features"):
        solve_ridge(np.ones((10, 3), np.float32), np.ones((10, 2), np.float32), 0.1)


def test_widening_changes_nothing(data):
    layer = ridge_layer(*data, 0.01)
    first, second = widen(layer, 16, seed=0)
    x = torch.from_numpy(data[0])
    assert torch.allclose(second(first(x)), layer(x), atol=1e-5)


def test_the_head_learns_what_a_linear_layer_cannot(data):
    layer = ridge_layer(*data, 0.01)
    config = WarmStartConfig(head_steps=300, head_width=64, head_contrast=0.0)
    first, second = train_head(layer, *data, config, normalise=True, seed=0)
    x, y = torch.from_numpy(data[0]), torch.from_numpy(data[1])
    unit = torch.nn.functional.normalize

    def error(vectors):
        return float((unit(vectors, dim=-1) - y).square().mean().detach())

    assert error(second(first(x))) < 0.75 * error(layer(x))


def test_contrast_changes_the_head(data):
    layer = ridge_layer(*data, 0.01)
    heads = [
        train_head(
            layer,
            *data,
            WarmStartConfig(head_steps=20, head_width=8, head_contrast=weight),
            normalise=True,
            seed=0,
        )
        for weight in (0.0, 1.0)
    ]
    assert not torch.equal(heads[0][1].linear.weight, heads[1][1].linear.weight)


def test_the_same_seed_gives_the_same_head(data):
    layer = ridge_layer(*data, 0.01)
    config = WarmStartConfig(head_steps=10, head_width=8)
    first, second = (train_head(layer, *data, config, normalise=True, seed=5) for _ in range(2))
    assert torch.equal(first[0].linear.weight, second[0].linear.weight)
