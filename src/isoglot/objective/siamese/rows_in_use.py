"""Sub-vocabulary training in sentence-transformers' trainer: only rows of the texts in use are in the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_SLICE = 4096  # texts tokenised at once


@contextmanager
def rows_in_use(model: Any, texts: Sequence[str], prompt: str) -> Iterator[None]:  # noqa: ANN401  an untyped library's
    """Leave only the embedding rows in a SentenceTransformer that its texts use; at the end all are back.

    The tokenizer stays as it is: ids are turned into rows where they enter the table.

    Args:
        model: a SentenceTransformer that begins with a transformer or is a table of token vectors.
        texts: all that it will read.
        prompt: put before each of them.
    """
    import torch

    backbone = model.transformers_model
    table = model[0].embedding if backbone is None else backbone.get_input_embeddings()
    full, padding = table.weight.detach(), table.padding_idx
    used = _ids(model, texts, prompt, len(full), padding or 0).to(full.device)
    place = torch.full((len(full),), -1, device=full.device)
    place[used] = torch.arange(len(used), device=full.device)
    # an id that is not in use becomes -1, which the table refuses
    hook = table.register_forward_pre_hook(lambda _, given: (place[given[0]], *given[1:]))
    _put(table, full[used], None if padding is None else int(place[padding]))
    try:
        yield
    finally:
        hook.remove()
        full[used] = table.weight.detach()
        _put(table, full, padding)


def _ids(model: Any, texts: Sequence[str], prompt: str, size: int, padding: int) -> torch.Tensor:  # noqa: ANN401
    """Ids of all tokens, int64, rising, out of so many.

    With them those of padding: the tokenizer's (an empty text gets some), and 0, with which the trainer makes columns
    equally long whatever the tokenizer pads with.
    """
    import torch

    distinct, used = list(dict.fromkeys(texts)), torch.zeros(size, dtype=torch.bool)
    used[[0, padding]] = True
    for start in range(0, len(distinct), _SLICE):
        tokens = model.preprocess([*distinct[start : start + _SLICE], ""], prompt=prompt or None)
        used[tokens["input_ids"]] = True
    return used.nonzero()[:, 0]


def _put(table: Any, rows: torch.Tensor, padding: int | None) -> None:  # noqa: ANN401
    """Put other rows into an embedding."""
    import torch

    table.weight = torch.nn.Parameter(rows)
    table.num_embeddings, table.padding_idx = len(rows), padding
