"""The paper's objective over groups (Reimers & Gurevych 2020, section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def distillation_loss(vectors: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean squared distance to the teacher's vectors.

    With weight k for a source with k translations and 1 for each translation this is the paper's sum over pairs of
    (M(s) - M'(s))^2 + (M(s) - M'(t))^2, divided by the total weight; at k = 1 it equals sentence-transformers' MSELoss.

    Args:
        vectors: float [b, d], the student's.
        targets: float [b, d], the teacher's vector of the same sentence or of its original.
        weights: float [b].

    Returns:
        float scalar.
    """
    return ((vectors - targets).square().mean(dim=1) * weights).sum() / weights.sum()
