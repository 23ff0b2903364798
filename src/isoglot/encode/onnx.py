"""Sentence encoders as ONNX files, run by onnxruntime.

The file takes token ids and gives token vectors, which are pooled here, or a sentence vector that is pooled already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes, digest_file, digest_json, read_json
from isoglot.encode.ahead import arrays
from isoglot.encode.batches import by_length
from isoglot.encode.model_folder import (
    PoolingMode,
    after_tokens,
    default_prompt,
    resolve_prompt,
    stated_length,
)
from isoglot.encode.tokens import Tokenizer, read_backend, refuse_capitals
from isoglot.encode.unit import PROBES, is_unit, unit
from isoglot.errors import IsoglotError, RequestError

if TYPE_CHECKING:
    import onnxruntime

    from isoglot.encode.tokens import Tokens

Pooling = tuple[PoolingMode, ...]
_BATCH_TOKENS = 2048
_DEFAULT_TOKENS = 512  # limit where neither the option nor the tokenizer states one
_POOLED = "sentence_embedding"  # the output that sentence-transformers names so is pooled


@dataclass(frozen=True)
class OnnxEncoder:
    """An ONNX session with its tokenizer.

    Attributes:
        session: the graph.
        tokenizer: of the folder.
        output: the graph's output that is read.
        pooling: modes, concatenated; empty when the output is a sentence vector.
        normalise: whether sentence vectors get unit length.
        prompt: text put before every sentence.
        weights: sha256 of the file and of the files with its tensors.
        dimension: width of the sentence vectors.
    """

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer
    output: str
    pooling: Pooling
    normalise: bool
    prompt: str
    weights: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i."""
        [vectors] = self.encode_each([texts])
        return vectors

    def encode_each(self, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        """Encode lists one after another, each as `encode` does, while the next one is tokenised in a thread."""
        prepare = partial(self.tokenizer, prompt=self.prompt)
        for result in arrays(lists, prepare, _cut, self._run, self.dimension):
            yield unit(result) if self.normalise else result

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts have no vector: none."""
        return np.zeros(len(texts), bool)

    def space(self) -> dict[str, object]:
        """Everything that decides where a sentence lands, and the digest over it."""
        parts: dict[str, object] = {
            "weights": self.weights,
            "tokenizer": digest_bytes(self.tokenizer.backend.to_str().encode()),
            "pooling": [f"output {self.output}", *self.pooling],
            "normalise": self.normalise,
            "prompt": self.prompt,
            "max_tokens": self.tokenizer.max_tokens,
            "dimension": self.dimension,
        }
        return {**parts, "fingerprint": digest_json(parts)}

    def _run(self, batch: tuple[Tokens, NDArray[np.int64]]) -> NDArray[np.float32]:
        tokens, rows = batch
        ids, mask = tokens.rectangle(rows)
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {item.name: known[item.name] for item in self.session.get_inputs()}
        (hidden,) = self.session.run([self.output], wanted)
        hidden = np.asarray(hidden, np.float32)
        vectors = pool(hidden, mask, self.pooling) if self.pooling else hidden
        if vectors.shape != (len(rows), self.dimension):
            raise IsoglotError(
                f"The ONNX model gave {vectors.shape} instead of {(len(rows), self.dimension)} for"
                f" {len(rows)} sentences.",
                "Export it with a free batch and length.",
            )
        return vectors


def _cut(tokens: Tokens) -> list[NDArray[np.int64]]:
    return by_length(tokens.lengths, _BATCH_TOKENS)


def pool(hidden: NDArray[np.float32], mask: NDArray[np.int64], modes: Pooling) -> NDArray[np.float32]:
    """Pool token vectors float32 [n, tokens, width] to [n, width x len(modes)]; `mask` is 0 at padding."""
    weights = mask[:, :, None].astype(np.float32)
    pooled: list[NDArray[np.float32]] = []
    for mode in modes:
        if mode == "mean":
            pooled.append((hidden * weights).sum(1) / np.maximum(weights.sum(1), 1e-9))
        elif mode == "max":
            pooled.append(np.where(weights > 0, hidden, -np.inf).max(1))
        elif mode == "lasttoken":
            last = (mask * np.arange(mask.shape[1])).argmax(1)
            pooled.append(hidden[np.arange(len(hidden)), last])
        else:
            pooled.append(hidden[:, 0])
    return np.concatenate(pooled, axis=1)


def load_onnx(
    path: Path,
    *,
    prompt: str | None = None,
    pooling: Pooling | None = None,
    normalise: bool | None = None,
    max_tokens: int | None = None,
) -> OnnxEncoder:
    """Load an ONNX encoder; its tokenizer.json lies beside it or one folder up.

    Args:
        path: the .onnx file.
        prompt: text before every sentence, or the name of one of the folder's; None: the folder's default.
        pooling: of token vectors; None: what the folder's modules.json says, else mean. An output that is pooled
            already takes none.
        normalise: whether to give vectors unit length; None: as modules.json says, or when the graph does so itself.
        max_tokens: longer sentences are cut; None: what the folder's configs say, else 512.

    Raises:
        RequestError: onnxruntime is not installed, or the file is no encoder that isoglot runs.
    """
    session = _session(path)
    folder = next(
        (place for place in (path.parent, path.parent.parent) if (place / "tokenizer.json").is_file()), None
    )
    if folder is None:
        raise RequestError(
            f"There is no tokenizer.json beside {path}.", "Copy it there from the model's folder."
        )
    output, width, pooled = _choose_output(session, path)
    if pooled and pooling:
        raise RequestError(
            f"The output {output} of {path} is a sentence vector already.", "Leave out teacher.pooling."
        )
    own, normalises = (None, None) if pooled else after_tokens(folder)
    modes: Pooling = () if pooled else pooling or own or ("mean",)
    normalise = normalises if normalise is None else normalise
    text = resolve_prompt(folder, prompt)
    encoder = OnnxEncoder(
        session=session,
        tokenizer=_tokenizer(folder, max_tokens),
        output=output,
        pooling=modes,
        normalise=bool(normalise),
        prompt=default_prompt(folder) if text is None else text,
        weights=_digest(path),
        dimension=width * max(1, len(modes)),
    )
    if normalise is None:
        return replace(encoder, normalise=is_unit(encoder.encode(PROBES)))
    return encoder


def _session(path: Path) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise RequestError("ONNX teachers need onnxruntime.", "pip install 'isoglot[onnx]'") from error
    from onnxruntime.capi.onnxruntime_pybind11_state import (
        Fail,
        InvalidArgument,
        InvalidGraph,
        InvalidProtobuf,
    )

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]
    try:
        session = onnxruntime.InferenceSession(path, options, providers=providers)
    except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf) as error:
        raise RequestError(
            f"{path} is not a model that onnxruntime loads ({str(error).splitlines()[0]})."
        ) from error
    strange = {item.name for item in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
    if strange:
        raise RequestError(
            f"{path} wants inputs that a sentence encoder does not have: {', '.join(sorted(strange))}.",
            "Export the encoder alone, with input_ids and attention_mask.",
        )
    return session


def _choose_output(session: onnxruntime.InferenceSession, path: Path) -> tuple[str, int, bool]:
    """Give the name and width of the output to read, and whether it is a sentence vector."""
    outputs = session.get_outputs()
    named = [item for item in outputs if item.name == _POOLED]
    chosen = (named or outputs)[0]
    shape: list[Any] = list(chosen.shape or ())
    if len(shape) not in (2, 3) or not isinstance(shape[-1], int):
        raise RequestError(
            f"The output {chosen.name} of {path} has the shape {shape}, not [batch, tokens, width] or [batch, width]"
            " with a fixed width.",
            "Export the encoder with a fixed width.",
        )
    return chosen.name, shape[-1], len(shape) == 2


def _tokenizer(folder: Path, max_tokens: int | None) -> Tokenizer:
    path = folder / "tokenizer_config.json"
    config = read_json(path) if path.is_file() else {}
    backend = read_backend(folder / "tokenizer.json")
    refuse_capitals(folder, backend)
    pad = config.get("pad_token") or "[PAD]"
    token = pad["content"] if isinstance(pad, dict) else pad
    limits = [limit for limit in (max_tokens, stated_length(folder)) if limit is not None]
    return Tokenizer(backend, backend.token_to_id(token) or 0, min(limits, default=_DEFAULT_TOKENS))


def _digest(path: Path) -> str:
    """Digest of the graph and of the tensor files beside it (NAME.onnx.data, NAME.onnx_data)."""
    files = [path, *sorted(path.parent.glob(f"{path.name}?data"))]
    return digest_json([digest_file(file) for file in files])
