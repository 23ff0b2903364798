"""The paper's objective over groups (Reimers & Gurevych 2020, section 2), and an optional contrast beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_SCALE = 20.0  # 1 / temperature 0.05
_SAME = 0.999  # teacher vectors closer than this are of one sentence: no negatives of each other


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


def contrast_loss(vectors: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of finding the own teacher vector among those of the batch, by cosine at temperature 0.05.

    Squared distance alone lets an unsure student retreat to the mean vector, which costs retrieval; this term pulls
    it back to where it can be told from others. Translations of one sentence are masked, not pushed apart.

    Args:
        vectors: float [b, d], the student's.
        targets: float [b, d], the teacher's vector of the same sentence or of its original.

    Returns:
        float scalar.
    """
    import torch

    teacher = torch.nn.functional.normalize(targets, dim=-1)
    scores = torch.nn.functional.normalize(vectors, dim=-1) @ teacher.T * _SCALE
    same = (teacher @ teacher.T) > _SAME
    same.fill_diagonal_(fill_value=False)
    own = torch.arange(len(scores), device=scores.device)
    return torch.nn.functional.cross_entropy(scores.masked_fill(same, float("-inf")), own)
