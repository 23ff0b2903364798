"""Cross-entropy over a whole vocabulary, its logits never all in memory.

The logits of 4 096 steps over 50 000 pieces would take 800 MB, and their gradient as much again. Some rows at a time
give their loss and their gradient at once and are forgotten; that the gradient comes with the forward pass is no loss,
as it is always asked for.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_LOGITS_AT_ONCE = 1 << 22  # 16 MB: they stay in the cache of a processor


def mean_surprise(hidden: Tensor, weight: Tensor, bias: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of -log softmax(hidden weight^T + bias)[wanted], in nats: float scalar.

    It has a gradient for `hidden`, `weight` and `bias`, of the first order only.

    Args:
        hidden: float32 [s, width].
        weight: float32 [vocabulary, width].
        bias: float32 [vocabulary].
        wanted: int64 [s].
        weights: float32 [s].
    """
    loss: Tensor = _MeanSurprise.apply(hidden, weight, bias, wanted, weights / weights.sum())  # type: ignore[no-untyped-call]
    return loss


class _MeanSurprise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  torch's own context
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        wanted: Tensor,
        shares: Tensor,
    ) -> Tensor:
        slopes = torch.empty_like(hidden), torch.zeros_like(weight), torch.zeros_like(bias)
        loss = hidden.new_zeros(())
        rows = max(1, _LOGITS_AT_ONCE // len(weight))
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            own, right, share = hidden[part], wanted[part, None], shares[part, None]
            logits = torch.addmm(bias, own, weight.T)
            above = logits.logsumexp(1, keepdim=True)
            loss += ((above - logits.gather(1, right)) * share).sum()
            slope = logits.sub_(above).exp_().mul_(share)  # in place: probability times share ...
            slope.scatter_add_(1, right, -share)  # ... less the share where the right piece is
            torch.mm(slope, weight, out=slopes[0][part])
            slopes[1].addmm_(slope.T, own)
            slopes[2].add_(slope.sum(0))
        ctx.save_for_backward(*slopes)
        return loss

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401  torch's own context
        return (*(slope * factor for slope in ctx.saved_tensors), None, None)
