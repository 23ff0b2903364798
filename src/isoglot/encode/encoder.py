"""The one place where text becomes arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.batches import least_padding
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    from isoglot.encode.model import PoolingMode, SentenceModel
    from isoglot.encode.precision import Precision
    from isoglot.encode.tokens import Tokenizer, Tokens

BATCH_TOKENS = 1024  # activations of so many tokens stay in a processor's cache (docs/experiments.md)
# What starting a batch costs, in tokens. Accelerators wait for their programs far longer: there batches are full.
_BATCH_COST = {"cpu": 16}


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
        return self._run(texts, progress, label, features=False)

    def features(
        self, texts: Sequence[str], progress: Progress = SILENT, label: str = "features"
    ) -> NDArray[np.float32]:
        """Return pooled features before the Dense layers, float32 [len(texts), feature_width]."""
        return self._run(texts, progress, label, features=True)

    def _run(
        self, texts: Sequence[str], progress: Progress, label: str, *, features: bool
    ) -> NDArray[np.float32]:
        import torch

        from isoglot.encode.precision import autocast

        device = next(self.model.parameters()).device
        tokens = self.tokenizer(texts, self.model.shape.prompt)
        if self.remap is not None:
            tokens = self.remap(tokens)
        width = self.model.feature_width if features else self.dimension
        result = np.empty((len(texts), width), dtype=np.float32)
        forward = self.model.features if features else self.model
        with progress.task(label, len(texts), "sentences") as task, torch.inference_mode():
            cost = _BATCH_COST.get(device.type, BATCH_TOKENS)
            for rows in least_padding(tokens.lengths, BATCH_TOKENS, cost):
                ids, mask = tokens.padded(rows)
                with autocast(self.precision, device):
                    vectors = forward(ids.to(device), mask.to(device))
                result[rows] = vectors.float().cpu().numpy()
                task.advance(len(rows))
        return result


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
    from isoglot.encode.tokens import Tokenizer, load_tokenizer, read_backend

    if isinstance(model.backbone, TokenTable):  # its tokens are counted as they are, without special ones
        backend = read_backend(folder / "tokenizer.json")
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
