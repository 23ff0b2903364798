"""Attention for short sequences in bf16, as plain matrix products; everything else goes to torch's fused attention.

At the lengths of sentences (under about 200 tokens) torch's fused attention was the slow choice on processors in bf16;
in fp32 it has become the fast one, forward and backward. See docs/experiments.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

NAME = "isoglot_short"
LONGEST_SHORT = 192


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
    """Scaled dot-product attention.

    Args:
        module: the calling attention layer.
        query: float [batch, heads, tokens, head width].
        key, value: the same, or with a whole fraction of the heads, each of which serves several of the query's.
        attention_mask: float [batch, 1, tokens, tokens], 0 where a token may look and -inf (or nearly) where not;
            None when nothing is padded.
        scaling: factor on the scores; None means 1/sqrt(head width).
        dropout: probability of dropping an attention weight; transformers passes 0 outside training.

    Returns:
        Float [batch, tokens, heads, head width], and None in place of the attention weights.
    """
    import torch

    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    if (shared := query.shape[1] // key.shape[1]) > 1:
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    if query.dtype != torch.bfloat16 or query.shape[2] > LONGEST_SHORT:
        mixed = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=factor
        )
    else:
        scores = torch.matmul(query * factor, key.transpose(-1, -2))
        if attention_mask is not None:
            scores = scores + attention_mask
        weights = torch.softmax(scores, dim=-1)
        if dropout:
            weights = torch.nn.functional.dropout(weights, p=dropout, training=module.training)
        mixed = torch.matmul(weights, value)
    return mixed.transpose(1, 2).contiguous(), None
