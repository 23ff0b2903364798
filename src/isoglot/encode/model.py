"""A sentence encoder as a network: backbone, pooling, Dense layers, normalisation.

It reads and writes the plain sentence-transformers folder, and computes what `SentenceTransformer.encode` computes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from isoglot.artefact import read_json
from isoglot.encode import attention
from isoglot.encode.backbones import (
    NO_LIMIT,
    BiLstm,
    TokenTable,
    read_lstm,
    read_table,
    write_lstm,
    write_table,
)
from isoglot.encode.model_folder import PoolingMode as PoolingMode
from isoglot.encode.model_folder import default_prompt, read_pooling, stated_length
from isoglot.encode.pooling import POOLING_ORDER as POOLING_ORDER
from isoglot.encode.pooling import pool
from isoglot.encode.tensors import read_tensors, write_tensors
from isoglot.errors import RequestError

_MODULES = "modules.json"
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "torch.nn.modules.linear.Identity": nn.Identity,
    "torch.nn.modules.activation.GELU": nn.GELU,
    "torch.nn.modules.activation.Tanh": nn.Tanh,
}
_FRONTS = (["Transformer", "Pooling"], ["StaticEmbedding"], ["WordEmbeddings", "LSTM", "Pooling"])


@dataclass(frozen=True)
class Shape:
    """How a folder turns token vectors into a sentence vector, and what it puts before every text."""

    pooling: tuple[PoolingMode, ...] = ("mean",)
    normalise: bool = False
    max_tokens: int = 128
    prompt: str = ""


class Dense(nn.Module):
    """One linear layer with an activation, as sentence-transformers' `Dense` module stores it."""

    def __init__(self, in_features: int, out_features: int, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.activation = nn.Identity() if activation is None else activation

    def forward(self, x: Tensor) -> Tensor:
        """Map float [n, in_features] to float [n, out_features]."""
        result: Tensor = self.activation(self.linear(x))
        return result


class SentenceModel(nn.Module):
    """Backbone -> pooling -> Dense* -> normalisation.

    Args:
        backbone: a Hugging Face encoder without a task head, or one of `isoglot.encode.backbones`.
        shape: pooling, normalisation, length limit and prompt.
        dense: layers from the pooled features to the sentence vector; empty when the features are the vector.
    """

    def __init__(self, backbone: nn.Module, shape: Shape, dense: tuple[Dense, ...] = ()) -> None:
        super().__init__()
        self.backbone = backbone
        self.shape = shape
        self.dense = nn.ModuleList(dense)

    @property
    def feature_width(self) -> int:
        """Width of the pooled features."""
        return int(self.backbone.config.hidden_size) * len(self.shape.pooling)  # type: ignore[union-attr, arg-type]

    @property
    def dimension(self) -> int:
        """Width of the sentence vector."""
        if not self.dense:
            return self.feature_width
        last = self.dense[-1]
        assert isinstance(last, Dense)  # noqa: S101  narrows ModuleList's element type
        return last.linear.out_features

    def features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Pooled features before the Dense layers.

        Args:
            ids: int64 [batch, tokens].
            mask: int64 [batch, tokens], 1 for tokens and 0 for padding.

        Returns:
            float32 [batch, feature_width].
        """
        # Without padding the mask says nothing, and leaving it out saves a pass over all attention scores.
        padded = bool((mask == 0).any())
        hidden = self.backbone(input_ids=ids, attention_mask=mask if padded else None).last_hidden_state
        return pool(hidden.float(), mask, self.shape.pooling)

    def head(self, features: Tensor) -> Tensor:
        """Dense layers and normalisation: float [n, feature_width] to float [n, dimension]."""
        for layer in self.dense:
            features = layer(features)
        return nn.functional.normalize(features, dim=-1) if self.shape.normalise else features

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Sentence vectors, float32 [batch, dimension]."""
        return self.head(self.features(ids, mask))


def load_model(folder: Path) -> SentenceModel:
    """Load a sentence-transformers folder, or a bare Hugging Face encoder (mean pooling), in fp32 and eval mode.

    Raises:
        RequestError: the folder is no encoder, needs remote code, or has a module that isoglot does not run.
    """
    if not (folder / _MODULES).is_file():
        backbone = load_backbone(folder)
        return SentenceModel(
            backbone, Shape(max_tokens=_token_limit(folder, backbone), prompt=default_prompt(folder))
        ).eval()
    modules = [
        (entry["type"].rsplit(".", 1)[-1], folder / entry["path"]) for entry in read_json(folder / _MODULES)
    ]
    kinds = [kind for kind, _ in modules]
    front = next((names for names in _FRONTS if kinds[: len(names)] == names), [])
    after = kinds[len(front) :]
    if not front or any(kind not in ("Dense", "Normalize") for kind in after) or "Normalize" in after[:-1]:
        raise RequestError(
            f"{folder / _MODULES} lists {', '.join(kinds)}; isoglot runs Transformer and Pooling, StaticEmbedding, or"
            " WordEmbeddings, LSTM and Pooling, and after these Dense and, last, Normalize.",
            "Choose another model.",
        )
    backbone, pooling, limit = _read_front([path for _, path in modules[: len(front)]], front[0])
    shape = Shape(
        pooling=pooling, normalise="Normalize" in kinds, max_tokens=limit, prompt=default_prompt(folder)
    )
    dense = tuple(_read_dense(path) for kind, path in modules if kind == "Dense")
    return SentenceModel(backbone, shape, dense).eval()


def _read_front(paths: list[Path], first: str) -> tuple[nn.Module, tuple[PoolingMode, ...], int]:
    """Backbone, pooling and length limit in tokens of the modules before the Dense layers."""
    if first == "StaticEmbedding":
        return read_table(paths[0]), ("mean",), NO_LIMIT
    if first == "WordEmbeddings":
        lstm, limit = read_lstm(paths[0], paths[1])
        return lstm, read_pooling(paths[2]), limit
    backbone = load_backbone(paths[0])
    return backbone, read_pooling(paths[1]), _token_limit(paths[0], backbone)


def load_backbone(folder: Path) -> nn.Module:
    """Load the Hugging Face encoder of a folder in fp32, from safetensors only, without running code from it.

    Raises:
        RequestError: it is no encoder, has a decoder beside it, or has no safetensors weights.
    """
    from safetensors import SafetensorError
    from transformers import AutoModel
    from transformers.utils import logging

    attention.register()
    logging.disable_progress_bar()
    if not any(folder.glob("*.safetensors")):
        raise RequestError(
            f"{folder} has no safetensors weights.",
            "isoglot never unpickles: load the model once with transformers and save it with save_pretrained.",
        )
    options = {"dtype": torch.float32, "use_safetensors": True, "trust_remote_code": False}
    try:
        model = AutoModel.from_pretrained(folder, attn_implementation=attention.NAME, **options)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise RequestError(
            f"{folder} is not an encoder that transformers loads: {str(error).splitlines()[0]}."
        ) from error
    if model.config.is_encoder_decoder:
        raise RequestError(
            f"{folder} holds an encoder with its decoder ({model.config.model_type}); isoglot runs encoders alone.",
            "Choose another model.",
        )
    model.config.use_cache = False  # decoders would keep keys and values for tokens that never come
    encoder: nn.Module = model.eval()
    return encoder


def save_modules(model: SentenceModel, folder: Path) -> None:
    """Write a sentence-transformers folder: backbone, pooling, Dense, normalisation and `modules.json`; no tokenizer.

    The layout is the one of version 2, which every later version still reads.
    """
    parts = _save_backbone(model, folder)
    for layer in model.dense:
        assert isinstance(layer, Dense)  # noqa: S101  narrows ModuleList's element type
        name = f"{len(parts)}_Dense"
        parts.append((name, "Dense"))
        _write_config(folder / name, _dense_config(layer))
        weights = {f"linear.{key}": value for key, value in layer.linear.state_dict().items()}
        write_tensors(folder / name / "model.safetensors", weights)
    if model.shape.normalise:
        parts.append((f"{len(parts)}_Normalize", "Normalize"))
        (folder / parts[-1][0]).mkdir()
    listed = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(parts)
    ]
    (folder / _MODULES).write_text(json.dumps(listed, indent=2))


def _save_backbone(model: SentenceModel, folder: Path) -> list[tuple[str, str]]:
    """Write the modules before the Dense layers; give their folders and kinds."""
    backbone = model.backbone
    if isinstance(backbone, TokenTable):
        write_table(backbone, folder)
        return [("", "StaticEmbedding")]
    parts = [("", "Transformer")]
    if isinstance(backbone, BiLstm):
        parts = [("", "WordEmbeddings"), ("1_LSTM", "LSTM")]
        write_lstm(backbone, model.shape.max_tokens, folder, folder / "1_LSTM")
    else:
        backbone.config.save_pretrained(folder)  # type: ignore[operator, union-attr]
        write_tensors(folder / "model.safetensors", backbone.state_dict())
        limit = {"max_seq_length": model.shape.max_tokens, "do_lower_case": False}
        (folder / "sentence_bert_config.json").write_text(json.dumps(limit, indent=2))
    name = f"{len(parts)}_Pooling"
    _write_config(folder / name, _pooling_config(model))
    return [*parts, (name, "Pooling")]


def _pooling_config(model: SentenceModel) -> dict[str, object]:
    modes = model.shape.pooling
    assert list(modes) == [mode for mode in POOLING_ORDER if mode in modes]  # noqa: S101  the layout has no other order
    return {
        "word_embedding_dimension": model.feature_width // len(modes),
        "pooling_mode_cls_token": "cls" in modes,
        "pooling_mode_mean_tokens": "mean" in modes,
        "pooling_mode_max_tokens": "max" in modes,
        "pooling_mode_mean_sqrt_len_tokens": False,
        "pooling_mode_lasttoken": "lasttoken" in modes,
    }


def _dense_config(layer: Dense) -> dict[str, object]:
    activation = type(layer.activation)
    return {
        "in_features": layer.linear.in_features,
        "out_features": layer.linear.out_features,
        "bias": True,
        "activation_function": f"{activation.__module__}.{activation.__qualname__}",
    }


def _write_config(folder: Path, config: dict[str, object]) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def _read_dense(folder: Path) -> Dense:
    config = read_json(folder / "config.json")
    name = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    if name not in _ACTIVATIONS or not config.get("bias", True) or config.get("use_residual"):
        raise RequestError(f"{folder}: this Dense layer ({name}) is not of a kind that isoglot runs.")
    layer = Dense(config["in_features"], config["out_features"], _ACTIVATIONS[name]())
    layer.load_state_dict(read_tensors(folder / "model.safetensors"))
    return layer


def _token_limit(folder: Path, backbone: nn.Module) -> int:
    stated = stated_length(folder)
    config = backbone.config
    positions = int(getattr(config, "max_position_embeddings", 512))
    # RoBERTa counts positions from the padding id + 1, so that many are not usable.
    roberta = getattr(config, "model_type", "") in ("roberta", "xlm-roberta", "camembert", "mpnet")
    usable = positions - (int(config.pad_token_id) + 1 if roberta else 0)  # type: ignore[union-attr, arg-type]
    return usable if stated is None else min(stated, usable)
