"""Backbones beside the transformer: a table of token vectors, and a bidirectional LSTM over one.

Both are called as a Hugging Face encoder is, so pooling, Dense layers and sub-vocabularies work on them alike. Their
files are those of sentence-transformers' modules `StaticEmbedding`, `WordEmbeddings` and `LSTM`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from isoglot.artefact import read_json
from isoglot.encode.tensors import read_tensors, write_tensors
from isoglot.errors import RequestError

NO_LIMIT = 1_000_000  # tokens; what sentence-transformers' WordEmbeddings calls no limit
_WEIGHTS = "model.safetensors"
_TABLE_CONFIG = "wordembedding_config.json"
_LSTM_CONFIG = "lstm_config.json"
# the only tokenizer of sentence-transformers' word embeddings that has subwords
_WRAPPER = "sentence_transformers.sentence_transformer.modules.tokenizer.word.TransformersTokenizerWrapper"


class Hidden(NamedTuple):
    """What a backbone gives: token vectors float [batch, tokens, width]."""

    last_hidden_state: Tensor


@dataclass(frozen=True)
class BackboneConfig:
    """What other code asks of a Hugging Face configuration."""

    model_type: str
    hidden_size: int


class TokenTable(nn.Module):
    """One vector per token, whatever stands beside it.

    Args:
        rows: float [vocabulary, width].
    """

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.embedding: nn.Embedding = nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
            rows, freeze=False
        )

    @property
    def config(self) -> BackboneConfig:
        """Kind and width."""
        return BackboneConfig("static", self.embedding.embedding_dim)

    def get_input_embeddings(self) -> nn.Embedding:
        """The table itself."""
        return self.embedding

    def set_input_embeddings(self, embedding: nn.Embedding) -> None:
        """Put another table in its place."""
        self.embedding = embedding

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Hidden:
        """Look up int64 [batch, tokens]; the mask changes nothing."""
        return Hidden(self.embedding(input_ids))


class BiLstm(nn.Module):
    """A bidirectional LSTM over token vectors, the encoder of LASER (Artetxe & Schwenk 2019, arXiv:1812.10464).

    Args:
        rows: float [vocabulary, width] to start from.
        hidden: units per direction.
        layers: how many LSTMs stand on one another.
    """

    def __init__(self, rows: Tensor, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding: nn.Embedding = nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
            rows, freeze=False
        )
        self.encoder = nn.LSTM(rows.shape[1], hidden, layers, batch_first=True, bidirectional=True)

    @property
    def config(self) -> BackboneConfig:
        """Kind and width of the output."""
        return BackboneConfig("lstm", 2 * self.encoder.hidden_size)

    def get_input_embeddings(self) -> nn.Embedding:
        """The table under the LSTM."""
        return self.embedding

    def set_input_embeddings(self, embedding: nn.Embedding) -> None:
        """Put another table in its place."""
        self.embedding = embedding

    def train(self, mode: bool = True) -> BiLstm:  # noqa: FBT001, FBT002  torch's own signature
        """Keep the LSTM, which has no dropout, in train mode: otherwise cuDNN gives it no gradient."""
        super().train(mode)
        self.encoder.train()
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Hidden:
        """Read int64 [batch, tokens] both ways; what the mask hides is not read."""
        batch, longest = input_ids.shape
        lengths = torch.full((batch,), longest) if attention_mask is None else attention_mask.sum(1)
        with torch.autocast(
            input_ids.device.type, enabled=False
        ):  # torch has no bf16 LSTM on every processor
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embedding(input_ids), lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            read = nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0], batch_first=True)[0]
        return Hidden(read)


def read_table(folder: Path) -> TokenTable:
    """Read the files of a `StaticEmbedding` module.

    Raises:
        RequestError: they are not of sentence-transformers' own layout.
    """
    tensors = read_tensors(folder / _WEIGHTS)
    if tensors.keys() != {"embedding.weight"}:
        raise RequestError(
            f"{folder / _WEIGHTS} is no plain table of token vectors (it holds {', '.join(sorted(tensors))}).",
            "Such a model can be a teacher; a student starts from another one.",
        )
    return TokenTable(tensors["embedding.weight"].float())


def write_table(backbone: TokenTable, folder: Path) -> None:
    """Write the weights of a `StaticEmbedding` module; its tokenizer.json stands beside them."""
    write_tensors(folder / _WEIGHTS, {"embedding.weight": backbone.embedding.weight})


def read_lstm(words: Path, lstm: Path) -> tuple[BiLstm, int]:
    """Read the files of a `WordEmbeddings` and an `LSTM` module: the backbone, and the length limit in tokens.

    Raises:
        RequestError: the LSTM reads one way only.
    """
    config = read_json(lstm / _LSTM_CONFIG)
    if not config.get("bidirectional", True):
        raise RequestError(f"{lstm} holds an LSTM that reads one way only.", "Choose another model.")
    rows = read_tensors(words / _WEIGHTS)["emb_layer.weight"]
    backbone = BiLstm(rows, int(config["hidden_dim"]), int(config["num_layers"]))
    backbone.encoder.load_state_dict(
        {name.removeprefix("encoder."): tensor for name, tensor in read_tensors(lstm / _WEIGHTS).items()}
    )
    return backbone, int(read_json(words / _TABLE_CONFIG)["max_seq_length"])


def write_lstm(backbone: BiLstm, max_tokens: int, words: Path, lstm: Path) -> None:
    """Write the files of a `WordEmbeddings` and an `LSTM` module; the tokenizer's stand beside the former."""
    write_tensors(words / _WEIGHTS, {"emb_layer.weight": backbone.embedding.weight})
    _write_json(
        words / _TABLE_CONFIG,
        {"tokenizer_class": _WRAPPER, "update_embeddings": True, "max_seq_length": max_tokens},
    )
    lstm.mkdir()
    own = backbone.encoder.state_dict()
    write_tensors(lstm / _WEIGHTS, {f"encoder.{name}": tensor for name, tensor in own.items()})
    _write_json(
        lstm / _LSTM_CONFIG,
        {
            "word_embedding_dimension": backbone.embedding.embedding_dim,
            "hidden_dim": backbone.encoder.hidden_size,
            "num_layers": backbone.encoder.num_layers,
            "dropout": 0,
            "bidirectional": True,
        },
    )


def _write_json(path: Path, config: dict[str, object]) -> None:
    path.write_text(json.dumps(config, indent=2))
