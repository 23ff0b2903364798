"""Token vectors become a sentence vector."""

from __future__ import annotations

import torch
from torch import Tensor

from isoglot.encode.model_folder import PoolingMode

# How sentence-transformers concatenates several.
POOLING_ORDER: tuple[PoolingMode, ...] = ("cls", "max", "mean", "lasttoken")


def pool(hidden: Tensor, mask: Tensor | None, modes: tuple[PoolingMode, ...]) -> Tensor:
    """Pool token vectors, padding left out.

    Args:
        hidden: float [batch, tokens, width].
        mask: int64 [batch, tokens], 1 for tokens and 0 for padding, on either side; None when nothing is padded.
        modes: mean, max, the first token (cls) or the last one, concatenated in this order.

    Returns:
        Float [batch, width x len(modes)].
    """
    whole = mask is None
    kept = hidden.new_ones(hidden.shape[:2], dtype=torch.int64) if mask is None else mask
    weights = kept.unsqueeze(-1).to(hidden.dtype)
    parts = []
    for mode in modes:
        if mode == "mean":
            parts.append(
                hidden.mean(1) if whole else (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            )
        elif mode == "max":
            parts.append(hidden.masked_fill(weights == 0, float("-inf")).max(1).values)
        elif mode == "lasttoken":
            columns = torch.arange(hidden.shape[1], device=hidden.device)
            parts.append(hidden[torch.arange(len(hidden), device=hidden.device), (kept * columns).argmax(1)])
        else:
            parts.append(hidden[:, 0])
    return torch.cat(parts, dim=-1)
