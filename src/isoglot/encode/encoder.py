"""The one place where text becomes arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.ahead import arrays
from isoglot.encode.batches import by_tokens, least_padding
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress, Task

if TYPE_CHECKING:
    from torch import Tensor

    from isoglot.encode.model import PoolingMode, SentenceModel
    from isoglot.encode.precision import Precision
    from isoglot.encode.tokens import Tokenizer, Tokens

BATCH_TOKENS = 1024  # activations of so many tokens stay in a processor's cache (docs/experiments.md)
# What starting a batch costs, in tokens. Accelerators wait for their programs far longer: there batches are full.
_BATCH_COST = {"cpu": 16}
_Head = Callable[["Tensor"], "Tensor"]


class Embedder(Protocol):
    """Anything that turns sentences into vectors; evaluation and mining need no more than this."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i."""


class Encoder:
    """A sentence encoder with its tokenizer: length-sorted token-budget batches, order restored.

    Args:
        model: the network, in eval mode.
        tokenizer: its tokenizer.
        precision: arithmetic of the matrix products.
    """

    def __init__(self, model: SentenceModel, tokenizer: Tokenizer, precision: Precision) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.precision = precision
        self.remap: Callable[[Tokens], Tokens] | None = None  # set while the model holds a smaller vocabulary

    @property
    def dimension(self) -> int:
        """Width of the sentence vectors."""
        return self.model.dimension

    @property
    def normalise(self) -> bool:
        """Whether sentence vectors have unit length."""
        return self.model.shape.normalise

    def space(self) -> dict[str, object]:
        """Parts and digest of the vector space (`encode.fingerprint.space`), and the arithmetic beside it."""
        from isoglot.encode.fingerprint import space

        return {**space(self), "precision": self.precision}

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts have no vector: none, bool [len(texts)]."""
        return np.zeros(len(texts), bool)

    def encode(
        self, texts: Sequence[str], progress: Progress = SILENT, label: str = "encode"
    ) -> NDArray[np.float32]:
        """Return sentence vectors, float32 [len(texts), dimension], row i for text i."""
        with progress.task(label, len(texts), "sentences") as task:
            [vectors] = self._arrays([texts], self.model.head, self.dimension, task)
        return vectors

    def features(
        self, texts: Sequence[str], progress: Progress = SILENT, label: str = "features"
    ) -> NDArray[np.float32]:
        """Return pooled features before the Dense layers, float32 [len(texts), feature_width]."""
        with progress.task(label, len(texts), "sentences") as task:
            [features] = self._arrays([texts], lambda pooled: pooled, self.model.feature_width, task)
        return features

    def encode_each(self, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        """Encode lists one after another, each as `encode` does, while the next one is tokenised in a thread."""
        with SILENT.task("encode", None, "sentences") as task:
            yield from self._arrays(lists, self.model.head, self.dimension, task)

    def _arrays(
        self, lists: Sequence[Sequence[str]], head: _Head, width: int, task: Task
    ) -> Iterator[NDArray[np.float32]]:
        from isoglot.encode.lanes import can_share, in_lanes, in_turn
        from isoglot.encode.packed import features, is_known
        from isoglot.encode.precision import only_forward

        backbone, device = self.model.backbone, next(self.model.parameters()).device
        plain = device.type == "cpu" and is_known(backbone)

        def whole(tokens: Tokens) -> bool:
            return plain and bool((tokens.lengths > 0).all())

        def cut(tokens: Tokens) -> list[NDArray[np.int64]]:
            if whole(tokens):
                return by_tokens(tokens.lengths, BATCH_TOKENS)
            return least_padding(tokens.lengths, BATCH_TOKENS, _BATCH_COST.get(device.type, BATCH_TOKENS))

        def compute(batch: tuple[Tokens, NDArray[np.int64]]) -> NDArray[np.float32]:
            tokens, rows = batch
            pooled = features(self.model, tokens, rows) if whole(tokens) else self._padded(tokens, rows)
            vectors: NDArray[np.float32] = head(pooled).float().cpu().numpy()
            return vectors

        ready = partial(only_forward, self.precision, device)
        in_order = partial(in_lanes if can_share(backbone) else in_turn, ready=ready)
        return arrays(lists, self._tokens, cut, compute, width, in_order, task.advance)

    def _tokens(self, texts: Sequence[str]) -> Tokens:
        tokens = self.tokenizer(texts, self.model.shape.prompt)
        return tokens if self.remap is None else self.remap(tokens)

    def _padded(self, tokens: Tokens, rows: NDArray[np.int64]) -> Tensor:
        """Pooled features of a rectangle, for any network and any device."""
        device = next(self.model.parameters()).device
        ids, mask = tokens.padded(rows)
        return self.model.features(ids.to(device), mask.to(device))


def load_encoder(
    folder: Path,
    *,
    prompt: str | None = None,
    max_tokens: int | None = None,
    pooling: tuple[PoolingMode, ...] | None = None,
    normalise: bool | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Encoder:
    """Load any encoder folder, ready to encode on the best device of this machine.

    Args:
        folder: a sentence-transformers folder or a bare Hugging Face encoder.
        prompt: text put before every sentence instead of the folder's own default prompt.
        max_tokens: a lower length limit than the folder's own.
        pooling: other pooling than the folder's own (mean, where it states none).
        normalise: whether vectors get unit length; None: what the folder says.
        precision: arithmetic; "auto" takes bf16 where the hardware multiplies it natively.

    Raises:
        RequestError: the folder is not an encoder that isoglot runs.
    """
    import dataclasses

    from isoglot.encode.model import load_model
    from isoglot.encode.precision import best_device, choose

    model = load_model(folder)
    limit = min(max_tokens or model.shape.max_tokens, model.shape.max_tokens)
    chosen_prompt = model.shape.prompt if prompt is None else prompt
    model.shape = dataclasses.replace(
        model.shape,
        prompt=chosen_prompt,
        max_tokens=limit,
        pooling=_pooling(model, folder, pooling),
        normalise=model.shape.normalise if normalise is None else normalise,
    )
    device = best_device()
    return Encoder(model.to(device), tokenizer_of(model, folder), choose(precision, device))


def tokenizer_of(model: SentenceModel, folder: Path) -> Tokenizer:
    """Load the tokenizer of a model's folder as the model takes it."""
    from isoglot.encode.backbones import TokenTable
    from isoglot.encode.model_folder import first_module
    from isoglot.encode.tokens import Tokenizer, load_tokenizer, read_backend

    if isinstance(model.backbone, TokenTable):  # its tokens are counted as they are, without special ones
        backend = read_backend(first_module(folder) / "tokenizer.json")
        return Tokenizer(backend, 0, model.shape.max_tokens, special=False)
    return load_tokenizer(folder, model.shape.max_tokens)


def _pooling(
    model: SentenceModel, folder: Path, wanted: tuple[PoolingMode, ...] | None
) -> tuple[PoolingMode, ...]:
    from isoglot.encode.model import POOLING_ORDER

    if wanted is None:
        return model.shape.pooling
    ordered = tuple(mode for mode in POOLING_ORDER if mode in wanted)
    if model.dense and ordered != model.shape.pooling:
        raise RequestError(
            f"{folder} ends in Dense layers, which fit its own pooling ({', '.join(model.shape.pooling)}) only.",
            "Leave out the pooling option.",
        )
    return ordered
