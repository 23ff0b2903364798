"""How every objective runs the student: in its precision, with a gradient, with dropout only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from isoglot.encode.encoder import Encoder
    from isoglot.encode.model import SentenceModel
    from isoglot.encode.tokens import Tokens


def sentence_vectors(
    student: Encoder, tokens: Tokens, rows: NDArray[np.int64], *, dropout: bool = False
) -> Tensor:
    """Run some texts through the student; its model is in eval mode again afterwards.

    On a processor a transformer runs them in a few parts, in lanes (`encode/lanes.py`), forward and backward, and of
    the families of `encode/packed.py` without padding. With dropout it runs all at once: parts side by side would draw
    from torch's one generator in any order.

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
    from isoglot.encode.packed import features, is_known
    from isoglot.encode.precision import autocast
    from isoglot.objective.parts import equal_parts, in_parts, profits

    model = student.model.train(dropout)
    device = next(model.parameters()).device
    lengths = tokens.lengths[rows]
    in_lanes = not dropout and profits(model)
    unpadded = in_lanes and is_known(model.backbone) and bool((lengths > 0).all())

    def forward(part: NDArray[np.int64]) -> Tensor:
        with autocast(student.precision, device):
            if unpadded:
                return model.head(features(model, tokens, part)).float()
            ids, mask = tokens.padded(part)
            vectors: Tensor = model(ids.to(device), mask.to(device))
        return vectors.float()

    with _rows_alone(model):
        if in_lanes:
            places = equal_parts(lengths, BATCH_TOKENS)
            parts = [rows[place] for place in places]
            weights = [weight for weight in model.parameters() if weight.requires_grad]
            by_length = in_parts(forward, parts, weights) if len(parts) > 1 else forward(*parts)
            order = np.argsort(np.concatenate(places), kind="stable")
            vectors = by_length.index_select(0, torch.from_numpy(order))
        else:
            vectors = forward(rows)
    model.eval()
    return vectors


@contextmanager
def _rows_alone(model: SentenceModel) -> Iterator[None]:
    """Let a batch add the rows that it uses to the gradient of the embeddings, where that is in memory already.

    A gradient of its own for the whole table costs more than a layer: fresh memory, nearly all of it zeros. On
    accelerators it does not, and sums of single rows differ there from run to run.
    """
    table = model.backbone.get_input_embeddings()  # type: ignore[operator]
    table.sparse = table.weight.grad is not None and table.weight.device.type == "cpu"
    try:
        yield
    finally:
        table.sparse = False
