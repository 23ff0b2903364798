"""The untouched student: a BiLSTM with max pooling over a vocabulary of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from isoglot.encode.encoder import Encoder
from isoglot.objective.translation.vocabulary import tokenizer_of
from isoglot.student_config import StudentConfig

if TYPE_CHECKING:
    import tokenizers


def new_encoder(vocabulary: tokenizers.Tokenizer, config: StudentConfig, width: int, seed: int) -> Encoder:
    """Make LASER's encoder with random weights; it is never told the language of a text.

    Args:
        vocabulary: of `learn_vocabulary`.
        config: units and layers of the LSTM, pooling, prompt, length, precision.
        width: of a token's vector.
        seed: of all weights.
    """
    import torch

    from isoglot.encode.backbones import BiLstm
    from isoglot.encode.model import SentenceModel, Shape
    from isoglot.encode.precision import best_device, choose

    device = best_device()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        rows = torch.randn(vocabulary.get_vocab_size(), width) / math.sqrt(width)
        backbone = BiLstm(rows, config.lstm_width, config.lstm_layers)
    shape = Shape(pooling=config.pooling, max_tokens=config.max_tokens, prompt=config.prompt or "")
    model = SentenceModel(backbone, shape).to(device).eval()
    return Encoder(model, tokenizer_of(vocabulary, config.max_tokens), choose(config.precision, device))
