"""Attention for short sequences as plain matrix products; longer ones go to torch's fused attention.

On processors torch's fused attention is the slow choice for short sequences, forward and backward: under about 200
tokens in bf16, under about 30 in fp32 in the one thread that a lane has. See docs/experiments.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

NAME = "isoglot_short"
LONGEST_SHORT = {"bf16": 192, "fp32": 24}  # tokens, on processors


def register() -> None:
    """Make the attention known to transformers under `NAME`; calling it again changes nothing."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, eager_mask)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_ignored: object,  # transformers' calling convention: other attentions read more than this one needs
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it.

    Args:
        module: the calling attention layer.
        query, key, value, attention_mask, scaling: as in `mix`.
        dropout: probability of dropping an attention weight; transformers passes 0 outside training.

    Returns:
        Float [batch, tokens, heads, head width], and None in place of the attention weights.
    """
    chance = dropout if module.training else 0.0
    mixed = mix(query, key, value, attention_mask, scaling=scaling, dropout=chance)
    return mixed.transpose(1, 2).contiguous(), None


def mix(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Scaled dot-product attention.

    Args:
        query: float [batch, heads, tokens, head width].
        key, value: the same, or with a whole fraction of the heads, each of which serves several of the query's.
        attention_mask: float [batch, 1, tokens, tokens], 0 where a token may look and -inf (or nearly) where not;
            None when nothing is padded.
        scaling: factor on the scores; None means 1/sqrt(head width).
        dropout: probability of dropping an attention weight.

    Returns:
        Float [batch, heads, tokens, head width].
    """
    import torch

    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    if (shared := query.shape[1] // key.shape[1]) > 1:
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    longest = LONGEST_SHORT["bf16" if query.dtype == torch.bfloat16 else "fp32"]
    if query.device.type != "cpu" or query.shape[2] > longest:
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=factor
        )
    # scaled here, where few tokens make fewer numbers than the queries have
    scores = torch.matmul(query, key.transpose(-1, -2)).mul_(factor)
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = torch.softmax(scores, dim=-1)
    if dropout:
        weights = torch.nn.functional.dropout(weights, p=dropout)
    return torch.matmul(weights, value)
