"""How long sentences are in an encoder's own tokens, and after how many it cuts them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.encoder import Encoder
from isoglot.encode.onnx import OnnxEncoder
from isoglot.encode.tokens import Tokenizer
from isoglot.teacher.joined import Joined
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.reduced import Reduced


@dataclass(frozen=True)
class Reader:
    """The tokenizer of an encoder, which cuts nothing.

    Attributes:
        tokenizer: without truncation.
        prompt: text that the encoder puts before every sentence.
        limit: tokens after which the encoder cuts.
    """

    tokenizer: Tokenizer
    prompt: str
    limit: int

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text with prompt and special tokens, before anything is cut; int64 [len(texts)]."""
        return self.tokenizer(texts, self.prompt).lengths


def reader_of(encoder: Teacher) -> Reader | None:
    """How an encoder reads; of several joined ones, how the one that cuts first does.

    Returns:
        None where tokens are not ours to count (an endpoint, a file of vectors), or decide nothing (a static model).
    """
    if isinstance(encoder, Reduced):
        return reader_of(encoder.teacher)
    if isinstance(encoder, Joined):
        readers = [reader for part in encoder.parts if (reader := reader_of(part)) is not None]
        return min(readers, key=lambda reader: reader.limit, default=None)
    if isinstance(encoder, Encoder):
        return Reader(_whole(encoder.tokenizer), encoder.model.shape.prompt, encoder.tokenizer.max_tokens)
    if isinstance(encoder, OnnxEncoder):
        return Reader(_whole(encoder.tokenizer), encoder.prompt, encoder.tokenizer.max_tokens)
    return None


def _whole(tokenizer: Tokenizer) -> Tokenizer:
    from tokenizers import Tokenizer as Backend

    whole = copy.copy(tokenizer)
    whole.backend = Backend.from_str(tokenizer.backend.to_str())
    whole.backend.no_truncation()
    return whole
