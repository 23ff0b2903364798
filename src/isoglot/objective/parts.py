"""One batch in several parts, each forward and backward in a lane of its own; together the same function.

Every part has a graph of its own. Their vectors are leaves of the batch's graph; when its backward pass comes to them,
the parts go on with theirs, and the gradients of the weights are summed up in the order of the parts, so the same
batch gives the same bits again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isoglot.encode.backbones import BiLstm, TokenTable
from isoglot.encode.lanes import can_share, in_lanes
from isoglot.encode.model import SentenceModel

_MOST = 4  # every part has a gradient of each weight, and these have to be added up
Rows = NDArray[np.int64]
Forward = Callable[[Rows], Tensor]
Gradients = tuple[Tensor | None, ...]


def profits(model: SentenceModel) -> bool:
    """Tell whether parts are faster: a table has nothing to compute, and a recurrence wants many sentences at once."""
    return can_share(model.backbone) and not isinstance(model.backbone, BiLstm | TokenTable)


def equal_parts(lengths: NDArray[np.int64], tokens: int) -> list[Rows]:
    """Cut texts into at most `_MOST` parts of similar length and about equally many tokens each.

    Args:
        lengths: int64 [b], of the texts.
        tokens: wanted in a part; they become more where there are too many for that.

    Returns:
        Places in `lengths`, each in one part, the longest texts first; a function of the arguments alone.
    """
    order = np.argsort(-lengths, kind="stable")
    before = np.cumsum(lengths[order]) - lengths[order]
    total = int(lengths.sum())
    parts = min(_MOST, max(1, round(total / tokens)))
    starts = np.searchsorted(before, np.arange(1, parts) * (total / parts))
    return [part for part in np.split(order, starts) if len(part)]


def in_parts(forward: Forward, parts: Sequence[Rows], weights: Sequence[nn.Parameter]) -> Tensor:
    """Run parts of a batch.

    Args:
        forward: gives the vectors of a part, with a graph to `weights`; called in other threads.
        parts: rows of each.
        weights: what learns.

    Returns:
        float [rows, dimension] in the order of the parts, with a gradient to `weights`.
    """
    vectors: Tensor = _Parts.apply(forward, parts, *weights)  # type: ignore[no-untyped-call]
    return vectors


class _Kept:
    """What the backward pass needs of the forward one; torch makes it."""

    vectors: list[Tensor]
    weights: tuple[Tensor, ...]


class _Parts(torch.autograd.Function):
    """The parts as one step of the batch's graph."""

    @staticmethod
    def forward(ctx: _Kept, forward: Forward, parts: Sequence[Rows], *weights: Tensor) -> Tensor:
        with closing(in_lanes(forward, parts, torch.enable_grad)) as vectors:
            ctx.vectors = list(vectors)
        ctx.weights = weights
        return torch.cat([part.detach() for part in ctx.vectors])

    @staticmethod
    def backward(ctx: _Kept, gradient: Tensor) -> Gradients:
        def back(part: tuple[Tensor, Tensor]) -> Gradients:
            return torch.autograd.grad(part[0], ctx.weights, part[1], allow_unused=True)

        pieces = zip(ctx.vectors, torch.split(gradient, [len(part) for part in ctx.vectors]), strict=True)
        with closing(in_lanes(back, pieces, torch.enable_grad)) as gradients:
            return (None, None, *_sum(gradients))


def _sum(gradients: Iterable[Gradients]) -> Gradients:
    """Add up gradients of the same weights, part by part; None where no part has one."""
    parts = iter(gradients)
    return reduce(lambda total, part: tuple(map(_plus, total, part)), parts, _alone(next(parts)))


def _alone(gradients: Gradients) -> Gradients:
    """Give each gradient memory of its own, to add others in place: fresh memory would cost more than the sum."""
    seen: set[int] = set()
    return tuple(one.clone() if one is not None and not _is_alone(one, seen) else one for one in gradients)


def _is_alone(gradient: Tensor, seen: set[int]) -> bool:
    """Tell whether a gradient fills a storage that no other has; autograd gives views, and one tensor twice."""
    if gradient.is_sparse:
        return True
    storage = gradient.untyped_storage()
    known = storage.data_ptr() in seen
    seen.add(storage.data_ptr())
    return not known and storage.nbytes() == gradient.numel() * gradient.element_size()


def _plus(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return one if other is None else other.clone()
    return one + other if one.is_sparse else one.add_(other)
