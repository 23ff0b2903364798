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

    Args:
        student: the encoder that learns.
        tokens: ids in the student's present vocabulary.
        rows: int64 [b], which of them.
        dropout: whether the model's own dropout is on.

    Returns:
        float32 [b, dimension] on the student's device, with its gradient.
    """
    from isoglot.encode.precision import autocast

    model = student.model.train(dropout)
    device = next(model.parameters()).device
    ids, mask = tokens.padded(rows)
    with autocast(student.precision, device):
        vectors: Tensor = model(ids.to(device), mask.to(device))
    model.eval()
    return vectors.float()
