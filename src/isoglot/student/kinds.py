"""The encoders that can learn: a transformer as it is or with fewer layers, token vectors alone, a bi-LSTM over them.

All are a `SentenceModel`, so training, evaluation, vocabulary and folder treat them alike.
"""

from __future__ import annotations

import dataclasses
import math
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoglot.artefact import Manifest, is_current, publish
from isoglot.config import StudentConfig
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.locate import folder_digest
from isoglot.encode.tensors import write_tensors
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    import tokenizers
    import torch
    from torch import nn

_ROWS = "rows.safetensors"
_TOKENS_AT_ONCE = 512  # single tokens that the encoder reads together


def begin(folder: Path, config: StudentConfig, seed: int, kept: Path, progress: Progress = SILENT) -> Encoder:
    """Make the untouched student that a recipe asks for; a transformer's pooling is still its own.

    Args:
        folder: the encoder that it is, or whose tokenizer and token vectors it starts from.
        config: kind and options.
        seed: of random rows and of the LSTM's weights.
        kept: artefact that holds the vectors of single tokens once they were computed, which takes minutes.
        progress: where to report.

    Raises:
        RequestError: the folder is no encoder of the kind asked for.
    """
    from isoglot.encode.backbones import BiLstm, TokenTable

    source = load_encoder(
        folder, prompt=config.prompt, max_tokens=config.max_tokens, precision=config.precision
    )
    if isinstance(source.model.backbone, TokenTable | BiLstm):
        raise RequestError(
            f"{folder} is no transformer.", "Give the encoder that it was made from as student.model."
        )
    if config.kind == "transformer":
        keep_layers(source.model.backbone, config.layers)
        return source
    rows = _rows(source, config, seed, folder, kept, progress)
    return _static(source, rows) if config.kind == "static" else _lstm(source, rows, config, seed)


def keep_layers(backbone: nn.Module, wanted: tuple[int, ...]) -> None:
    """Drop all layers of a Hugging Face encoder but those in `wanted`, in place; none are dropped when it is empty.

    Raises:
        RequestError: it has no such layer, or cannot do without the first one.
    """
    if not wanted:
        return
    config, layers = backbone.config, _layers_of(backbone)
    if wanted[-1] >= len(layers):
        raise RequestError(
            f"The student has layers 0 to {len(layers) - 1}, and student.layers names {wanted[-1]}."
        )
    if wanted[0] != 0 and config.model_type == "modernbert":  # type: ignore[union-attr]
        raise RequestError("ModernBERT's first layer is unlike the others: keep layer 0.")
    types = getattr(config, "layer_types", None)
    if types is not None:  # which layers see the whole text and which a window
        config.layer_types = [types[number] for number in wanted]  # type: ignore[union-attr]
    kept = [layers[number] for number in wanted]
    del layers[:]
    layers.extend(kept)
    config.num_hidden_layers = len(kept)  # type: ignore[union-attr]


def fold(student: Encoder) -> None:
    """Put a static student's one linear layer into its token vectors: the mean of W r + b is W (mean of r) + b."""
    import torch

    from isoglot.encode.backbones import TokenTable
    from isoglot.encode.model import Dense

    model = student.model
    if not isinstance(model.backbone, TokenTable) or len(model.dense) != 1:
        return
    layer = model.dense[0]
    assert isinstance(layer, Dense)  # noqa: S101  narrows ModuleList's element type
    with torch.no_grad():
        model.backbone = TokenTable(layer.linear(model.backbone.embedding.weight))
    del model.dense[:]


def _layers_of(backbone: nn.Module) -> nn.ModuleList:
    from torch import nn

    count = backbone.config.num_hidden_layers  # type: ignore[union-attr]
    found = [part for part in backbone.modules() if isinstance(part, nn.ModuleList) and len(part) == count]
    if not found:
        raise RequestError(f"isoglot does not find the layers of a {type(backbone).__name__}.")
    return found[0]


def _static(source: Encoder, rows: torch.Tensor) -> Encoder:
    from isoglot.encode.backbones import NO_LIMIT, TokenTable
    from isoglot.encode.model import SentenceModel
    from isoglot.encode.tokens import Tokenizer

    shape = dataclasses.replace(source.model.shape, pooling=("mean",), max_tokens=NO_LIMIT)
    tokenizer = Tokenizer(source.tokenizer.backend, source.tokenizer.pad_id, NO_LIMIT, special=False)
    return Encoder(SentenceModel(TokenTable(rows), shape).eval(), tokenizer, source.precision)


def _lstm(source: Encoder, rows: torch.Tensor, config: StudentConfig, seed: int) -> Encoder:
    import torch

    from isoglot.encode.backbones import BiLstm
    from isoglot.encode.model import SentenceModel

    _first_token_only(source.tokenizer.backend)
    torch.manual_seed(seed)
    backbone = BiLstm(rows, config.lstm_width, config.lstm_layers).to(rows.device)
    shape = dataclasses.replace(source.model.shape, pooling=config.pooling)
    return Encoder(SentenceModel(backbone, shape).eval(), source.tokenizer, source.precision)


def _first_token_only(backend: tokenizers.Tokenizer) -> None:
    """Put no special token behind a text: sentence-transformers cuts long texts as they are, at the end.

    One before it stays, so that no text is empty.
    """
    from tokenizers.processors import TemplateProcessing

    special = backend.encode("").ids
    if not special:
        raise RequestError(
            "The tokenizer puts no token before a text, and an LSTM cannot read nothing.",
            "Choose another student.model.",
        )
    token = backend.id_to_token(special[0])
    backend.post_processor = TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A $B:1", special_tokens=[(token, special[0])]
    )


def _rows(
    source: Encoder, config: StudentConfig, seed: int, folder: Path, kept: Path, progress: Progress
) -> torch.Tensor:
    """Token vectors to start from, float32 [vocabulary, width]."""
    import torch
    from safetensors.torch import load_file

    size = source.tokenizer.backend.get_vocab_size()
    embedding = source.model.backbone.get_input_embeddings()  # type: ignore[operator]
    table: torch.Tensor = embedding.weight.detach()
    if config.rows == "inputs":
        return table[:size].clone()
    if config.rows == "random":
        random = torch.Generator().manual_seed(seed)
        drawn = torch.randn(size, table.shape[1], generator=random) / math.sqrt(table.shape[1])
        return drawn.to(table.device)
    manifest = Manifest("token vectors", {"encoder": folder_digest(folder)}, {"precision": source.precision})
    if not is_current(kept, manifest):
        with publish(kept, manifest) as scratch:
            write_tensors(scratch / _ROWS, {"rows": _outputs(source, size, progress)})
    rows: torch.Tensor = load_file(kept / _ROWS)["rows"]
    return rows.to(table.device)


def _outputs(source: Encoder, size: int, progress: Progress) -> torch.Tensor:
    """What the encoder makes of every token alone, between its special tokens."""
    import torch

    from isoglot.encode.lanes import can_share, in_lanes, in_turn
    from isoglot.encode.precision import only_forward

    device = next(source.model.parameters()).device
    around = np.array(source.tokenizer.backend.encode("").ids, np.int64)
    result = torch.empty(size, source.model.feature_width)
    before, after = around[: (len(around) + 1) // 2], around[(len(around) + 1) // 2 :]

    def features(start: int) -> torch.Tensor:
        tokens = np.arange(start, min(size, start + _TOKENS_AT_ONCE))
        columns = [*before, None, *after]
        ids = np.stack([tokens if one is None else np.full(len(tokens), one) for one in columns], axis=1)
        mask = torch.ones(ids.shape, dtype=torch.int64, device=device)
        return source.model.features(torch.from_numpy(ids).to(device), mask).float().cpu()

    starts = range(0, size, _TOKENS_AT_ONCE)
    in_order = in_lanes if can_share(source.model.backbone) else in_turn
    batches = in_order(features, starts, partial(only_forward, source.precision, device))
    with progress.task("vectors of single tokens", size, "tokens") as task, closing(batches):
        for start, vectors in zip(starts, batches, strict=True):
            result[start : start + len(vectors)] = vectors
            task.advance(len(vectors))
    return result
