"""Matrix products: those that an encoder is made of, and how fast this machine does them on their own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.encoder import Encoder
from isoglot.encode.precision import Precision, best_device

LARGE = (4096, 1536, 1536)  # rows, inputs, outputs


class Count(NamedTuple):
    """Operations of a model: of its linear layers for a token, and of its attention for a token times the length."""

    layers: Counter[tuple[int, int]]  # inputs and outputs of the linear layers that every token goes through
    per_token: int
    per_square: int


class Product(NamedTuple):
    """A matrix product of a step, [rows, inputs] by [inputs, outputs], so many times; with its two backward ones."""

    rows: int
    inputs: int
    outputs: int
    times: float
    precision: Precision

    @property
    def operations(self) -> float:
        """Floating-point operations, forward and backward."""
        return 6.0 * self.rows * self.inputs * self.outputs * self.times


def count_operations(encoder: Encoder) -> Count:
    """Read the operations off the linear layers; the pooler, which nothing uses, is left out."""
    from torch import nn

    backbone: Any = encoder.model.backbone
    layers = Counter(
        (part.in_features, part.out_features)
        for name, part in backbone.named_modules()
        if isinstance(part, nn.Linear) and not name.startswith("pooler")
    )
    config = backbone.config
    return Count(
        layers,
        sum(2 * inputs * outputs * times for (inputs, outputs), times in layers.items()),
        4 * config.hidden_size * config.num_hidden_layers,  # scores, and values mixed by them
    )


def operations(count: Count, lengths: NDArray[np.int64]) -> float:
    """Count the floating-point operations of a forward pass on useful tokens; `lengths`: tokens of each text."""
    return float(count.per_token * lengths.sum() + count.per_square * (lengths**2).sum())


def transformer_products(encoder: Encoder, lengths: NDArray[np.int64]) -> Iterator[Product]:
    """Give the products of a step over texts of these lengths: of all layers, Dense ones too, and of attention.

    Attention has no product of its own here: its operations count at the rate of the largest layer.
    """
    count, tokens, precision = count_operations(encoder), int(lengths.sum()), encoder.precision
    for (inputs, outputs), times in count.layers.items():
        yield Product(tokens, inputs, outputs, times, precision)
    inputs, outputs = max(count.layers, key=lambda shape: shape[0] * shape[1])
    share = count.per_square * float((lengths**2).sum()) / (2.0 * tokens * inputs * outputs)
    yield Product(tokens, inputs, outputs, share, precision)
    for layer in encoder.model.dense:
        yield Product(len(lengths), layer.linear.in_features, layer.linear.out_features, 1, precision)


def seconds_of(product: Product) -> float:
    """Time a product and its two backward ones, all rows at once."""
    import torch

    device, dtype = best_device(), _dtype(product.precision)
    x = torch.randn(product.rows, product.inputs, device=device, dtype=dtype)
    weight = torch.randn(product.outputs, product.inputs, device=device, dtype=dtype)
    gradient = torch.randn(product.rows, product.outputs, device=device, dtype=dtype)
    torch.nn.functional.linear(x, weight)  # warms the caches up, as the layer before does in a step
    finish()
    began = time.perf_counter()
    torch.nn.functional.linear(x, weight)
    gradient @ weight
    gradient.t() @ x
    finish()
    return (time.perf_counter() - began) * product.times


def large_rate(precision: Precision, rounds: int = 3) -> float:
    """Operations a second of one large product, the best of some rounds."""
    import torch

    device, dtype = best_device(), _dtype(precision)
    rows, inner, columns = LARGE
    left = torch.randn(rows, inner, device=device, dtype=dtype)
    right = torch.randn(inner, columns, device=device, dtype=dtype)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        left @ right
        finish()
        times.append(time.perf_counter() - began)
    return 2.0 * rows * inner * columns / min(times)


def finish() -> None:
    """Wait until an accelerator has done what it was given."""
    import torch

    if best_device().type == "cuda":
        torch.cuda.synchronize()


def _dtype(precision: Precision) -> Any:  # noqa: ANN401  torch's
    import torch

    return torch.bfloat16 if precision == "bf16" else torch.float32
