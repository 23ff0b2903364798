"""What learns beside the student and is not shipped: a head for each task that is not translation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from isoglot.corpus.benchmarks.record import LABELS
from isoglot.objective.ranking.loss import inference_features


class InferenceHead(nn.Module):
    """A linear layer over (u, v, |u - v|), with `product` also u * v, to scores of the labels of inference."""

    def __init__(self, dimension: int, *, product: bool) -> None:
        super().__init__()
        self.product = product
        self.linear = nn.Linear(dimension * (4 if product else 3), len(LABELS))

    def forward(self, premises: Tensor, hypotheses: Tensor) -> Tensor:
        """Map float [b, dimension] twice to float [b, labels]."""
        scores: Tensor = self.linear(inference_features(premises, hypotheses, product=self.product))
        return scores


class ResponseHead(nn.Module):
    """From the vector of a response to that of what it responds to: a question and its answer do not say the same.

    Chidambaram et al. 2018 and Yang et al. 2018 (arXiv:1804.07754) put feed-forward layers on the response's side and
    rank by dot product. Here it is one hidden layer of the student's width, and cosines are scaled as in translation
    ranking: a dot product of vectors without unit length overflows the softmax, and of unit vectors says little.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dimension, dimension), nn.Tanh(), nn.Linear(dimension, dimension)
        )

    def forward(self, responses: Tensor) -> Tensor:
        """Map float [b, dimension] to float [b, dimension]."""
        moved: Tensor = self.layers(responses)
        return moved


def new_heads(
    dimension: int, *, inference: bool, responses: bool, product: bool, seed: int, device: torch.device
) -> nn.ModuleDict:
    """Make the heads of the tasks that have data, with weights drawn from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads: dict[str, nn.Module] = {}
        if inference:
            heads["nli"] = InferenceHead(dimension, product=product)
        if responses:
            heads["responses"] = ResponseHead(dimension)
    return nn.ModuleDict(heads).to(device)
