"""How every objective runs the student: in its precision, with a gradient, with dropout only where it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from isoglot.encode.encoder import Encoder
    from isoglot.encode.tokens import Tokens


def sentence_vectors(
    student: Encoder, tokens: Tokens, rows: NDArray[np.int64], *, dropout: bool = False
) -> Tensor:
    """Run some texts through the student; its model is in eval mode again afterwards.

    On a processor a transformer runs them in a few parts, in lanes (`encode/lanes.py`), forward and backward. With
    dropout it runs all at once: parts side by side would draw from torch's one generator in any order.

    Args:
        student: the encoder that learns.
        tokens: ids in the student's present vocabulary.
        rows: int64 [b], which of them.
        dropout: whether the model's own dropout is on.

    Returns:
        float32 [b, dimension] on the student's device, with its gradient.
    """
    import torch

    from isoglot.encode.encoder import BATCH_TOKENS
    from isoglot.encode.precision import autocast
    from isoglot.objective.parts import equal_parts, in_parts, profits, rows_alone

    model = student.model.train(dropout)
    device = next(model.parameters()).device

    def forward(part: NDArray[np.int64]) -> Tensor:
        ids, mask = tokens.padded(part)
        with autocast(student.precision, device):
            vectors: Tensor = model(ids.to(device), mask.to(device))
        return vectors.float()

    places = equal_parts(tokens.lengths[rows], BATCH_TOKENS)
    if dropout or len(places) < 2 or not profits(model):
        vectors = forward(rows)
    else:
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        with rows_alone(model):
            parts = in_parts(forward, [rows[place] for place in places], weights)
        vectors = parts.index_select(0, torch.from_numpy(np.argsort(np.concatenate(places), kind="stable")))
    model.eval()
    return vectors
