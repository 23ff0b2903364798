"""Which vector space an encoder has: equal fingerprints mean interchangeable vectors."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from isoglot.artefact import digest_bytes, digest_json

if TYPE_CHECKING:
    from torch import nn

    from isoglot.encode.encoder import Encoder


def space(encoder: Encoder) -> dict[str, object]:
    """Everything that decides where a sentence lands; names and revisions are labels and stay out.

    Returns:
        The parts, and under "fingerprint" the sha256 over all of them.
    """
    shape = encoder.model.shape
    parts: dict[str, object] = {
        "weights": weights_digest(encoder.model),
        "tokenizer": digest_bytes(encoder.tokenizer.backend.to_str().encode()),
        "pooling": list(shape.pooling),
        "normalise": shape.normalise,
        "prompt": shape.prompt,
        "max_tokens": shape.max_tokens,
        "dimension": encoder.dimension,
    }
    return {**parts, "fingerprint": digest_json(parts)}


def weights_digest(model: nn.Module) -> str:
    """Return the sha256 over every tensor's name, type, shape and bytes, in order of name."""
    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        array = tensor.detach().cpu().contiguous().numpy()
        total.update(f"{name} {array.dtype} {array.shape}\n".encode())
        total.update(array.data)
    return total.hexdigest()
