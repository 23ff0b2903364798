"""The one place where text becomes arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.batches import by_length
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    from isoglot.encode.model import SentenceModel
    from isoglot.encode.precision import Precision
    from isoglot.encode.tokens import Tokenizer, Tokens

BATCH_TOKENS = 1024  # activations of so many tokens stay in a processor's cache (docs/experiments.md)


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
            for rows in by_length(tokens.lengths, BATCH_TOKENS):
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
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Encoder:
    """Load any encoder folder, ready to encode on the best device of this machine.

    Args:
        folder: a sentence-transformers folder or a bare Hugging Face encoder.
        prompt: text put before every sentence instead of the folder's own default prompt.
        max_tokens: a lower length limit than the folder's own.
        precision: arithmetic; "auto" takes bf16 where the hardware multiplies it natively.

    Raises:
        RequestError: the folder is not an encoder that isoglot runs.
    """
    import dataclasses

    from isoglot.encode.model import load_model
    from isoglot.encode.precision import best_device, choose
    from isoglot.encode.tokens import load_tokenizer

    model = load_model(folder)
    limit = min(max_tokens or model.shape.max_tokens, model.shape.max_tokens)
    chosen_prompt = model.shape.prompt if prompt is None else prompt
    model.shape = dataclasses.replace(model.shape, prompt=chosen_prompt, max_tokens=limit)
    device = best_device()
    return Encoder(model.to(device), load_tokenizer(folder, limit), choose(precision, device))
