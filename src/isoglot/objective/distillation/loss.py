"""The paper's objective over groups (Reimers & Gurevych 2020, arXiv:2004.09813), and an optional contrast beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_SCALE = 20.0  # 1 / temperature 0.05
_SAME = 0.999  # teacher vectors closer than this are of one sentence: no negatives of each other


@dataclass(frozen=True)
class Terms:
    """The terms of the loss, weighted and over every prefix.

    Attributes:
        contrast: weight of `contrast_loss`.
        cosine: weight of `cosine_loss`.
        prefixes: widths at which the front of a vector must be a vector on its own (Kusupati et al. 2022,
            arXiv:2205.13147); empty: the whole alone.
        normalise: whether vectors have unit length; prefixes then get it too.
    """

    contrast: float = 0.0
    cosine: float = 0.0
    prefixes: tuple[int, ...] = ()
    normalise: bool = False

    def loss(self, vectors: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Mean over the prefixes of the weighted sum of terms: float scalar.

        Every term is of the size of a squared distance divided by the whole dimension, so that the weights mean the
        same for every teacher and every prefix.

        Args:
            vectors: float [b, d], the student's.
            targets: float [b, d], the teacher's vector of the same sentence or of its original.
            weights: float [b].
        """
        dimension = targets.shape[1]
        total = vectors.new_zeros(())
        for width in self.prefixes or (dimension,):
            own, wanted = self._front(vectors, width), self._front(targets, width)
            total = total + distillation_loss(own, wanted, weights) * (width / dimension)
            if self.contrast:
                total = total + self.contrast / dimension * contrast_loss(own, wanted)
            if self.cosine:
                total = total + self.cosine / dimension * cosine_loss(own, wanted, weights)
        return total / max(1, len(self.prefixes))

    def _front(self, vectors: Tensor, width: int) -> Tensor:
        import torch

        if width == vectors.shape[1]:
            return vectors
        front = vectors[:, :width]
        return torch.nn.functional.normalize(front, dim=-1) if self.normalise else front


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


def cosine_loss(vectors: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of 1 - cosine to the teacher's vectors: the direction alone, whatever the lengths.

    Args:
        vectors: float [b, d], the student's.
        targets: float [b, d], the teacher's.
        weights: float [b].

    Returns:
        float scalar in [0, 2].
    """
    import torch

    distance = 1 - torch.nn.functional.cosine_similarity(vectors, targets, dim=1)
    return (distance * weights).sum() / weights.sum()
