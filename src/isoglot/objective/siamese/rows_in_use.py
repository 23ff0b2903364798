"""Sub-vocabulary training in sentence-transformers' trainer: only rows of the texts in use are in the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


@contextmanager
def rows_in_use(model: Any, folder: Path, texts: Sequence[str]) -> Iterator[None]:  # noqa: ANN401  an untyped library's
    """Leave only the embedding rows in a SentenceTransformer that its texts use; at the end all are back.

    The tokenizer stays as it is: ids are turned into rows where they enter the embedding. A model that is no
    transformer keeps all its rows.

    Args:
        model: a SentenceTransformer.
        folder: where it was loaded from.
        texts: all that it will read.
    """
    backbone = model.transformers_model
    if backbone is None:
        yield
        return
    from isoglot.encode.model import SentenceModel, Shape
    from isoglot.encode.model_folder import default_prompt
    from isoglot.encode.tokens import load_tokenizer
    from isoglot.student.vocabulary import SubVocabulary

    tokens = load_tokenizer(folder, model.max_seq_length)(texts, default_prompt(folder))
    shared = SentenceModel(backbone, Shape())
    vocabulary = SubVocabulary(shared, np.append(tokens.ids, tokens.pad_id).astype(np.int64))
    hook = backbone.get_input_embeddings().register_forward_pre_hook(_row_finder(vocabulary, backbone.device))
    try:
        yield
    finally:
        hook.remove()
        vocabulary.restore(shared)


def _row_finder(vocabulary: Any, device: torch.device) -> Any:  # noqa: ANN401
    import torch

    place = torch.full((len(vocabulary.full),), -1)
    place[torch.from_numpy(vocabulary.rows)] = torch.arange(len(vocabulary.rows))
    place = place.to(device)

    def rows(_: torch.nn.Module, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (place[given[0]],)  # an id that is not in use becomes -1, which the embedding refuses

    return rows
