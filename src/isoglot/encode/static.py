"""Static encoders: the mean of fixed token vectors, in numpy; a sentence takes microseconds.

Two folders are known: sentence-transformers' `StaticEmbedding` (every token of the tokenizer counts) and model2vec
(unknown tokens are left out; rows may be shared by several tokens and weighted).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes, digest_json, read_json
from isoglot.encode.model_folder import default_prompt
from isoglot.encode.tokens import clean_surrogates, read_backend
from isoglot.encode.unit import unit
from isoglot.errors import DamagedError, RequestError

if TYPE_CHECKING:
    import tokenizers

_SLICE = 1024  # texts tokenised and gathered at once
_MODULES = "modules.json"
_MODEL2VEC_TOKENS = 512  # what model2vec takes where its config says nothing


@dataclass(frozen=True)
class StaticEncoder:
    """Token vectors with their tokenizer.

    Attributes:
        table: float [rows, dimension], one row per token, or fewer with a `mapping`.
        tokenizer: without padding and truncation.
        unknown: id of a token that is left out; None: none is.
        normalise: whether sentence vectors get unit length.
        max_tokens: further tokens are left out; None: no limit.
        max_chars: further characters are not even tokenised; None: no limit.
        prompt: text put before every sentence.
        mapping: int [tokens], row of each token; None: the token's own number.
        weights: float [tokens], factor on each token's row; None: all 1.
    """

    table: NDArray[Any]
    tokenizer: tokenizers.Tokenizer
    unknown: int | None
    normalise: bool
    max_tokens: int | None
    max_chars: int | None
    prompt: str
    mapping: NDArray[Any] | None = None
    weights: NDArray[Any] | None = None

    @property
    def dimension(self) -> int:
        """Width of the sentence vectors."""
        return int(self.table.shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension]; zero for a text without any known token."""
        result = np.zeros((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _SLICE):
            ids, lengths = self._tokens(texts[start : start + _SLICE])
            if len(ids):
                sums = self._sums(ids, lengths)
                result[start : start + len(sums)] = sums / np.maximum(lengths, 1)[:, None]
        return unit(result) if self.normalise else result

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts have no known token, so no vector: bool [len(texts)]."""
        lengths = [self._tokens(texts[start : start + _SLICE])[1] for start in range(0, len(texts), _SLICE)]
        return np.concatenate(lengths) == 0 if lengths else np.zeros(0, bool)

    def space(self) -> dict[str, object]:
        """Everything that decides where a sentence lands, and the digest over it."""
        parts: dict[str, object] = {
            "weights": self._digest(),
            "tokenizer": digest_bytes(self.tokenizer.to_str().encode()),
            "pooling": ["mean of token vectors"],
            "normalise": self.normalise,
            "prompt": self.prompt,
            "max_tokens": self.max_tokens,
            "unknown tokens": "counted" if self.unknown is None else "left out",
            "dimension": self.dimension,
        }
        return {**parts, "fingerprint": digest_json(parts)}

    def _tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        prepared = [(self.prompt + clean_surrogates(text))[: self.max_chars] for text in texts]
        kept = [
            [token for token in item.ids if token != self.unknown][: self.max_tokens]
            for item in self.tokenizer.encode_batch_fast(prepared, add_special_tokens=False)
        ]
        flat = np.array([token for ids in kept for token in ids], np.int64)
        return flat, np.array([len(ids) for ids in kept], np.int64)

    def _sums(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Sum of each text's token vectors, float32 [len(lengths), dimension]; the texts' ids follow one another."""
        from scipy.sparse import csr_array

        used, place = np.unique(ids, return_inverse=True)  # each row is read and cast once
        ends = np.concatenate([[0], np.cumsum(lengths)])
        counts = csr_array((np.ones(len(ids), np.float32), place, ends), shape=(len(lengths), len(used)))
        sums: NDArray[np.float32] = counts @ self._rows(used)
        return sums

    def _rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = self.table[ids if self.mapping is None else self.mapping[ids]].astype(np.float32)
        return rows if self.weights is None else rows * self.weights[ids, None].astype(np.float32)

    def _digest(self) -> str:
        total = hashlib.sha256()
        for array in (self.table, self.mapping, self.weights):
            if array is not None:
                total.update(f"{array.dtype} {array.shape}\n".encode())
                total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()


def is_static(folder: Path) -> bool:
    """Tell whether a model folder holds a static encoder."""
    if (folder / _MODULES).is_file():
        return any(_kind(entry) == "StaticEmbedding" for entry in read_json(folder / _MODULES))
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    return config.get("model_type") == "model2vec" or "StaticModel" in (config.get("architectures") or ())


def load_static(
    folder: Path, *, prompt: str | None = None, normalise: bool | None = None, max_tokens: int | None = None
) -> StaticEncoder:
    """Load a static encoder folder.

    Args:
        folder: of sentence-transformers or of model2vec.
        prompt: text before every sentence; None: the folder's own default.
        normalise: None: what the folder says.
        max_tokens: a lower limit than the folder's own.

    Raises:
        RequestError: the folder holds further modules, or no safetensors weights.
        DamagedError: weights and tokenizer do not belong together.
    """
    inner, folder_normalises = _layout(folder)
    tensors = _tensors(inner / "model.safetensors")
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    tokenizer = read_backend(inner / "tokenizer.json")
    _refuse_mismatch(inner, tensors, tokenizer)
    model2vec = "embeddings" in tensors
    limit = config.get("max_length", _MODEL2VEC_TOKENS) if model2vec else None
    limits = [number for number in (limit, max_tokens) if number is not None]
    return StaticEncoder(
        table=tensors["embeddings" if model2vec else "embedding.weight"],
        tokenizer=tokenizer,
        unknown=_unknown(tokenizer) if model2vec else None,
        normalise=(folder_normalises or bool(config.get("normalize"))) if normalise is None else normalise,
        max_tokens=min(limits) if limits else None,
        max_chars=limit * _median_length(tokenizer) if limit else None,
        prompt=default_prompt(folder) if prompt is None else prompt,
        mapping=tensors.get("mapping"),
        weights=tensors.get("weights"),
    )


def _layout(folder: Path) -> tuple[Path, bool]:
    """Give the folder with the weights, and whether the sentence vectors are normalised after it."""
    if not (folder / _MODULES).is_file():
        return folder, False
    entries = read_json(folder / _MODULES)
    kinds = [_kind(entry) for entry in entries]
    if kinds not in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"]):
        raise RequestError(
            f"{folder / _MODULES} lists {', '.join(kinds)}; isoglot runs StaticEmbedding and Normalize.",
            "Choose another model.",
        )
    return folder / entries[0]["path"], "Normalize" in kinds


def _kind(entry: dict[str, str]) -> str:
    return entry.get("type", "nothing").rsplit(".", 1)[-1]


def _tensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise RequestError(
            f"{path} is missing.", "isoglot never unpickles: save the model with safetensors weights."
        )
    try:
        tensors: dict[str, NDArray[Any]] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DamagedError(f"{path} is not a readable safetensors file ({error}).") from error
    return tensors


def _refuse_mismatch(folder: Path, tensors: dict[str, NDArray[Any]], tokenizer: tokenizers.Tokenizer) -> None:
    table = tensors.get("embeddings", tensors.get("embedding.weight"))
    if table is None or table.ndim != 2:
        raise RequestError(f"{folder / 'model.safetensors'} has no table of token vectors.")
    rows = len(tensors.get("mapping", table))
    if rows < tokenizer.get_vocab_size() or ("weights" in tensors and len(tensors["weights"]) < rows):
        raise DamagedError(
            f"{folder} has {rows} token vectors for {tokenizer.get_vocab_size()} tokens.",
            "Download it again.",
        )


def _unknown(tokenizer: tokenizers.Tokenizer) -> int | None:
    """Id of the unknown token; model2vec leaves it out of the mean."""
    token = getattr(tokenizer.model, "unk_token", None)
    if token is not None:
        return tokenizer.token_to_id(token)
    number = json.loads(tokenizer.to_str())["model"].get("unk_id")
    return None if number is None else int(number)


def _median_length(tokenizer: tokenizers.Tokenizer) -> int:
    """Median length of a token in characters; model2vec cuts texts by it before it tokenises."""
    return int(np.median([len(token) for token in tokenizer.get_vocab()]))
