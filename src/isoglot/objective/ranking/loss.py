"""The losses of a dual encoder: ranking with an additive margin, and natural-language inference over two vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def ranking_loss(
    queries: Tensor,
    candidates: Tensor,
    *,
    margin: float,
    scale: float,
    same: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of finding each query's own candidate among all, by scaled cosine less a margin.

    The additive-margin softmax of Yang et al. 2019 (arXiv:1902.08564) with in-batch negatives (Guo et al.
    2018, arXiv:1807.11906); candidates beyond the b-th are hard negatives, for every query. Cosines
    are scaled after the margin is taken off. At margin 0 and without `same` and `weights` it equals
    sentence-transformers' MultipleNegativesRankingLoss.

    Args:
        queries: float [b, d].
        candidates: float [b + h, d]; candidate i is query i's own.
        margin: taken off the cosine of each query with its own candidate.
        scale: 1 / temperature.
        same: bool [b, b + h], candidates that are as right as the own one, or a duplicate of it; they are left out.
            What it says of a query's own candidate is not read.
        weights: float [b], of each query; None: all 1.

    Returns:
        float scalar, the weighted mean over the queries.
    """
    import torch

    unit = torch.nn.functional.normalize
    cosines = unit(queries, dim=-1) @ unit(candidates, dim=-1).T
    own = torch.eye(*cosines.shape, dtype=torch.bool, device=cosines.device)
    scores = torch.where(own, cosines - margin, cosines) * scale
    if same is not None:
        scores = scores.masked_fill(same & ~own, float("-inf"))
    each = torch.logsumexp(scores, dim=1) - scores.diagonal()
    return each.mean() if weights is None else (each * weights).sum() / weights.sum()


def translation_loss(
    sources: Tensor,
    targets: Tensor,
    negatives: Tensor,
    *,
    margin: float,
    scale: float,
    bidirectional: bool,
    same: Tensor,
    weights: Tensor,
) -> Tensor:
    """Rank translations among the batch's targets and hard negatives and, with `bidirectional`, sources as well.

    Yang et al. 2019 add both directions up; this is their mean, so that a learning rate means the same for
    one direction and for two. Hard negatives are targets, so they stand in the first direction only, where each is a
    negative of every source of the batch (Guo et al. 2018).

    Args:
        sources: float [b, d].
        targets: float [b, d], their translations.
        negatives: float [h, d]; h may be 0.
        margin: as in `ranking_loss`.
        scale: as in `ranking_loss`.
        bidirectional: rank sources among sources, too.
        same: bool [b, b + h], which of the targets and negatives say what each source says.
        weights: float [b], of each pair.

    Returns:
        float scalar.
    """
    import torch

    candidates = torch.cat([targets, negatives])
    forward = ranking_loss(sources, candidates, margin=margin, scale=scale, same=same, weights=weights)
    if not bidirectional:
        return forward
    back = same[:, : len(targets)].T
    return (
        forward + ranking_loss(targets, sources, margin=margin, scale=scale, same=back, weights=weights)
    ) / 2


def inference_features(premises: Tensor, hypotheses: Tensor, *, product: bool) -> Tensor:
    """Put two vectors u and v side by side for a classifier: (u, v, |u - v|), and u * v behind them with `product`.

    Three parts are those of SBERT (Reimers & Gurevych 2019, arXiv:1908.10084); all four those of InferSent (Conneau et
    al. 2017, arXiv:1705.02364) and of mUSE's inference task (Chidambaram et al. 2018, arXiv:1810.12836). The order is
    that of sentence-transformers' SoftmaxLoss.

    Args:
        premises: float [b, d].
        hypotheses: float [b, d].
        product: also multiply them.

    Returns:
        float [b, 3 d] or [b, 4 d].
    """
    import torch

    parts = [premises, hypotheses, (premises - hypotheses).abs()]
    return torch.cat([*parts, premises * hypotheses] if product else parts, dim=1)
