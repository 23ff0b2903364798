"""A forward pass without padding, for the encoders that most sentence models are: BERT and RoBERTa's kin.

Sentences lie one after another as rows of one matrix [tokens, width]. Linear layers, norms and activations take it
as one long matrix without padding; only attention sees rectangles, one for all sentences of the same length, and so
needs no mask. Without a gradient the product that ends a block adds itself to the block's input in place. See
docs/experiments.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isoglot.encode.attention import mix
from isoglot.encode.pooling import pool

if TYPE_CHECKING:
    from isoglot.encode.model import SentenceModel
    from isoglot.encode.model_folder import PoolingMode
    from isoglot.encode.tokens import Tokens

_FAMILY = ("BertModel", "RobertaModel", "XLMRobertaModel", "CamembertModel")
Groups = Sequence[tuple[int, int]]  # sentences and tokens of each, for runs of sentences of one length


def is_known(backbone: nn.Module) -> bool:
    """Tell whether `token_vectors` computes what the network itself does.

    It does for transformers' own classes of that family, not for those derived from them, when they are in eval mode,
    are no decoders, and their layers are plain: no adapter, no quantisation, no hook.
    """
    if type(backbone).__name__ not in _FAMILY or not type(backbone).__module__.startswith("transformers."):
        return False
    network: Any = backbone
    parts = [network.embeddings, *(part for layer in network.encoder.layer for part in layer.modules())]
    hooked = any(part._forward_hooks or part._forward_pre_hooks for part in parts)
    return not (backbone.training or network.config.is_decoder or hooked) and all(
        type(part) in (nn.Linear, nn.LayerNorm, nn.Dropout)
        or type(part).__module__.startswith(("transformers.", "torch.nn.modules.activation"))
        for part in parts
    )


def features(model: SentenceModel, tokens: Tokens, rows: NDArray[np.int64]) -> Tensor:
    """Pooled features before the Dense layers, as `model.features` gives them; its backbone is known.

    Args:
        model: on a processor.
        tokens: of all texts, each with one token at the least.
        rows: which texts, those of the same length side by side.

    Returns:
        float32 [len(rows), feature_width].
    """
    ids, groups = arrange(tokens, rows)
    hidden = token_vectors(model.backbone, ids, groups).float()
    return pooled(hidden, groups, model.shape.pooling)


def arrange(tokens: Tokens, rows: NDArray[np.int64]) -> tuple[Tensor, Groups]:
    """Lay sentences one after another.

    Args:
        tokens: of all texts.
        rows: which of them, those of the same length side by side.

    Returns:
        int64 [total] ids, and the runs of one length.
    """
    lengths = tokens.lengths[rows]
    ends = [*np.flatnonzero(np.diff(lengths)) + 1, len(lengths)]
    starts = [0, *ends[:-1]]
    groups = [(int(end - start), int(lengths[start])) for start, end in zip(starts, ends, strict=True)]
    ids = np.concatenate([tokens.ids[tokens.offsets[row] : tokens.offsets[row + 1]] for row in rows])
    return torch.from_numpy(ids.astype(np.int64)), groups


def token_vectors(backbone: nn.Module, ids: Tensor, groups: Groups) -> Tensor:
    """Last hidden states, float [total, width], of sentences laid out by `arrange`; in the precision of autocast."""
    network: Any = backbone
    positions = torch.cat([_positions(network.embeddings, part) for part in rectangles(ids, groups)])
    hidden: Tensor = network.embeddings(input_ids=ids[None], position_ids=positions[None])[0]
    for layer in network.encoder.layer:
        mixed = _attention(layer.attention.self, hidden, groups)
        hidden = _add(layer.attention.output, mixed, hidden)
        inner = _activated(layer.intermediate, hidden)
        hidden = _add(layer.output, inner, hidden)
    return hidden


def pooled(hidden: Tensor, groups: Groups, modes: tuple[PoolingMode, ...]) -> Tensor:
    """Pool token vectors of sentences laid out by `arrange`: float [total, width] to [sentences, features]."""
    return torch.cat([pool(part, None, modes) for part in rectangles(hidden, groups)])


def rectangles(flat: Tensor, groups: Groups) -> Iterator[Tensor]:
    """Give each run of sentences of one length as a view [sentences, tokens, ...] of what lies one after another."""
    start = 0
    for sentences, length in groups:
        stop = start + sentences * length
        yield flat[start:stop].view(sentences, length, *flat.shape[1:])
        start = stop


def _positions(embeddings: Any, ids: Tensor) -> Tensor:  # noqa: ANN401  a class of transformers
    """Position numbers of ids [sentences, tokens], one after another; RoBERTa counts on from its padding id."""
    if not hasattr(embeddings, "padding_idx"):
        return torch.arange(ids.shape[1]).repeat(len(ids))
    real = ids != embeddings.padding_idx
    positions: Tensor = real.cumsum(1) * real + embeddings.padding_idx
    return positions.view(-1)


def _attention(block: Any, hidden: Tensor, groups: Groups) -> Tensor:  # noqa: ANN401
    """Self-attention of every sentence to itself: float [total, width] to the same."""
    if torch.is_autocast_enabled("cpu"):
        hidden = hidden.to(torch.get_autocast_dtype("cpu"))  # once, not for each of the three products
    products = [part(hidden) for part in (block.query, block.key, block.value)]
    split = [part.unflatten(-1, (-1, block.attention_head_size)) for part in products]
    mixed = []
    for three in zip(*(rectangles(part, groups) for part in split), strict=True):
        query, key, value = (part.transpose(1, 2) for part in three)
        mixed.append(mix(query, key, value, scaling=block.scaling).transpose(1, 2).flatten(2).flatten(0, 1))
    return mixed[0] if len(mixed) == 1 else torch.cat(mixed)


def _activated(block: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401
    inner: Tensor = block.dense(hidden)
    activation = block.intermediate_act_fn
    if not torch.is_grad_enabled() and getattr(activation, "act", None) is nn.functional.gelu:
        activation = torch.ops.aten.gelu_
    activated: Tensor = activation(inner)
    return activated


def _add(block: Any, update: Tensor, hidden: Tensor) -> Tensor:  # noqa: ANN401
    """Project `update` and add it to `hidden`, which is lost where no gradient needs it; then normalise."""
    dense = block.dense
    if torch.is_grad_enabled() or update.dtype != hidden.dtype:  # in bf16 the sum is kept in fp32
        hidden = hidden + dense(update)
    else:
        hidden.add_(dense.bias).addmm_(update, dense.weight.t())
    normed: Tensor = block.LayerNorm(hidden)
    return normed
