"""Text becomes token ids: ragged, in one flat array, so that a corpus of millions stays small."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.model_folder import wants_lower_case
from isoglot.errors import DamagedError, RequestError

if TYPE_CHECKING:
    import tokenizers
    import torch

_SLICE = 4096  # texts handed to the tokenizer at once: enough for its threads, small enough for memory


@dataclass(frozen=True)
class Tokens:
    """Token ids of n texts.

    Attributes:
        ids: int32 [total], the ids of all texts one after another.
        offsets: int64 [n + 1]; text i has ids[offsets[i]:offsets[i + 1]].
        pad_id: id that fills rectangles.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    pad_id: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each text, int64 [n]."""
        return np.diff(self.offsets)

    def count(self, rows: NDArray[np.int64]) -> int:
        """Count the tokens of some texts."""
        return int((self.offsets[rows + 1] - self.offsets[rows]).sum())

    def rectangle(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give some texts as one rectangle.

        Returns:
            int64 ids and int64 mask (1 = token, 0 = padding), both [len(rows), longest].
        """
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        columns = np.arange(int(lengths.max()))
        mask = columns[None, :] < lengths[:, None]
        ids = np.full(mask.shape, self.pad_id, dtype=np.int64)
        ids[mask] = self.ids[(starts[:, None] + columns)[mask]]
        return ids, mask.astype(np.int64)

    def padded(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Give `rectangle` as tensors."""
        import torch

        ids, mask = self.rectangle(rows)
        return torch.from_numpy(ids), torch.from_numpy(mask)


class Tokenizer:
    """A tokenizer of the Hugging Face kind, cut to what an encoder needs; `special`: with its special tokens."""

    def __init__(
        self, backend: tokenizers.Tokenizer, pad_id: int, max_tokens: int, *, special: bool = True
    ) -> None:
        backend.no_padding()
        backend.enable_truncation(max_length=max_tokens)
        self.backend = backend
        self.pad_id = pad_id
        self.max_tokens = max_tokens
        self.special = special

    def __call__(self, texts: Sequence[str], prompt: str = "") -> Tokens:
        """Tokenise `texts`, each with `prompt` before it and the special tokens, if any, around it."""
        # The tokenizer's own threads are wanted; without this it warns when a process pool forks later.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        pieces: list[NDArray[np.int32]] = []
        for start in range(0, len(texts), _SLICE):
            part = [prompt + clean_surrogates(text) for text in texts[start : start + _SLICE]]
            encoded = self.backend.encode_batch_fast(part, add_special_tokens=self.special)
            pieces += [np.asarray(item.ids, dtype=np.int32) for item in encoded]
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
        return Tokens(np.concatenate(pieces) if pieces else np.zeros(0, np.int32), offsets, self.pad_id)


def clean_surrogates(text: str) -> str:
    """Replace lone surrogates, which no tokenizer accepts, by U+FFFD; every other text comes back as it is."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_backend(path: Path) -> tokenizers.Tokenizer:
    """Read a tokenizer.json, without padding and truncation.

    Raises:
        DamagedError: it is missing or the tokenizers library cannot read it.
    """
    import tokenizers

    try:
        backend = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise DamagedError(
            f"{path} is not a readable tokenizer ({error}).", "Copy the model's folder again."
        ) from error
    backend.no_padding()
    backend.no_truncation()
    return backend


def refuse_capitals(folder: Path, backend: tokenizers.Tokenizer) -> None:
    """Refuse a tokenizer that tells capitals where its folder wants texts in lower case.

    Raises:
        RequestError: it does.
    """
    if wants_lower_case(folder) and (not backend.normalizer or "A" in backend.normalizer.normalize_str("A")):
        raise RequestError(
            f"{folder} says do_lower_case, and its tokenizer keeps capitals.",
            "Save the model once with sentence-transformers 6, which puts the lower case into the tokenizer.",
        )


def load_tokenizer(folder: Path, max_tokens: int) -> Tokenizer:
    """Load the tokenizer of a model folder.

    Raises:
        RequestError: when the folder has none that the tokenizers library can run, or wants texts in lower case.
    """
    from transformers import AutoTokenizer

    try:
        wrapped = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise RequestError(
            f"{folder} has no usable tokenizer ({str(error).splitlines()[0]}).",
            "A model folder needs a tokenizer.json; save it with AutoTokenizer.save_pretrained.",
        ) from error
    backend = getattr(wrapped, "backend_tokenizer", None)
    if backend is None:
        raise RequestError(
            f"The tokenizer of {folder} is not of the fast kind.", "Convert it to a tokenizer.json."
        )
    refuse_capitals(folder, backend)
    pad_id = wrapped.pad_token_id if wrapped.pad_token_id is not None else 0
    return Tokenizer(backend, pad_id, max_tokens)
