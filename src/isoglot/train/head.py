"""A small head on cached features: the frozen student runs once per sentence, the head trains in seconds.

It starts as the ridge solution and stays two plain Dense layers: since gelu(z) - gelu(-z) = z, a GELU layer can carry
the linear path exactly, beside new hidden units whose output weights start at zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.config import WarmStartConfig
from isoglot.objective.distillation.loss import contrast_loss
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import Tensor

    from isoglot.encode.model import Dense

_BATCH = 512
_LEARNING_RATE = 1e-3


def widen(ridge: Dense, width: int, seed: int) -> tuple[Dense, Dense]:
    """Turn one linear layer into two Dense layers that compute the same, with `width` hidden units to train.

    Args:
        ridge: float [d, f] weights and bias.
        width: new hidden units.
        seed: of their input weights.

    Returns:
        Dense f -> 2d + width with GELU, and Dense 2d + width -> d.
    """
    import torch

    from isoglot.encode.model import Dense

    weight, bias = ridge.linear.weight.detach(), ridge.linear.bias.detach()
    outputs, inputs = weight.shape
    first = Dense(inputs, 2 * outputs + width, torch.nn.GELU())
    second = Dense(2 * outputs + width, outputs)
    fresh = torch.randn(width, inputs, generator=torch.Generator().manual_seed(seed)) / inputs**0.5
    identity = torch.eye(outputs)
    with torch.no_grad():
        first.linear.weight.copy_(torch.cat([weight, -weight, fresh]))
        first.linear.bias.copy_(torch.cat([bias, -bias, torch.zeros(width)]))
        second.linear.weight.copy_(torch.cat([identity, -identity, torch.zeros(outputs, width)], dim=1))
        second.linear.bias.zero_()
    return first, second


def train_head(
    ridge: Dense,
    features: NDArray[np.float32],
    targets: NDArray[np.float32],
    config: WarmStartConfig,
    *,
    normalise: bool,
    seed: int,
    progress: Progress = SILENT,
) -> tuple[Dense, Dense]:
    """Train the widened head for `config.head_steps` steps of AdamW on MSE plus in-batch contrast.

    Args:
        ridge: the closed-form layer to start from.
        features: float [n, f], cached features of the frozen student.
        targets: float [n, d], teacher vectors.
        config: steps, width, weight of the contrast.
        normalise: whether the student's vectors are normalised, as the teacher's are.
        seed: of weights and order.
        progress: where to report.

    Returns:
        Dense f -> 2d + width with GELU, and Dense 2d + width -> d.
    """
    import torch

    scale = torch.from_numpy(features.std(axis=0) + 1e-6)
    mean = torch.from_numpy(features.mean(axis=0))
    x = (torch.from_numpy(features) - mean) / scale
    y = torch.from_numpy(targets)
    layers = widen(_standardised(ridge, mean, scale), config.head_width, seed)
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, weight_decay=0.01)
    order = torch.Generator().manual_seed(seed)
    with progress.task("head on cached features", config.head_steps, "steps") as task:
        for step in range(config.head_steps):
            for group in optimiser.param_groups:
                group["lr"] = _LEARNING_RATE * (1 - step / config.head_steps)
            rows = torch.randint(len(x), (min(_BATCH, len(x)),), generator=order)
            vectors = layers[1](layers[0](x[rows]))
            if normalise:
                vectors = torch.nn.functional.normalize(vectors, dim=-1)
            # Both terms as sums over the dimensions: the squared distance of unit vectors is then of the size of one.
            loss = (vectors - y[rows]).square().sum(dim=1).mean()
            if config.head_contrast:
                loss = loss + config.head_contrast * contrast_loss(vectors, y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            task.advance()
    return _raw(layers[0], mean, scale), layers[1]


def _standardised(layer: Dense, mean: Tensor, scale: Tensor) -> Dense:
    """Give the layer that computes on (x - mean) / scale what `layer` computes on x."""
    return _with(layer, layer.linear.weight * scale, layer.linear.bias + layer.linear.weight @ mean)


def _raw(layer: Dense, mean: Tensor, scale: Tensor) -> Dense:
    """Undo `_standardised`."""
    weight = layer.linear.weight / scale
    return _with(layer, weight, layer.linear.bias - weight @ mean)


def _with(layer: Dense, weight: Tensor, bias: Tensor) -> Dense:
    import torch

    from isoglot.encode.model import Dense

    result = Dense(weight.shape[1], weight.shape[0], layer.activation)
    with torch.no_grad():
        result.linear.weight.copy_(weight)
        result.linear.bias.copy_(bias)
    return result
