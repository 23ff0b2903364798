"""Sub-vocabulary training: only the embedding rows that the corpus uses are in the network while it trains.

A multilingual vocabulary has 250 000 rows, a corpus uses a tenth of them. The rest would cost optimiser state and
gradient memory without ever changing. Rows are written back into the full matrix at save; untouched rows stay
bit-equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.tokens import Tokens

if TYPE_CHECKING:
    import torch

    from isoglot.encode.model import SentenceModel


class SubVocabulary:
    """The rows in use and the full matrix that they come from.

    Args:
        model: the student; its embedding matrix is replaced by the rows in use until `restore`.
        used: int64, ids that may occur; the padding id must be among them.
    """

    def __init__(self, model: SentenceModel, used: NDArray[np.int64]) -> None:
        import torch

        embedding = model.backbone.get_input_embeddings()  # type: ignore[operator]
        self.rows = np.unique(np.concatenate([used, _of_fixed_number(model)]))
        self.full: torch.Tensor = embedding.weight.detach()
        self._padding_id = embedding.padding_idx
        small = torch.nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
            self.full[torch.from_numpy(self.rows)].clone(), freeze=False, padding_idx=self._new_padding_id()
        )
        model.backbone.set_input_embeddings(small)  # type: ignore[operator]

    def remap(self, tokens: Tokens) -> Tokens:
        """Give the same texts in the small vocabulary's ids.

        Raises:
            ValueError: a text uses a row that was left out.
        """
        ids = np.searchsorted(self.rows, tokens.ids).clip(max=len(self.rows) - 1)
        if (self.rows[ids] != tokens.ids).any():
            raise ValueError("a text uses tokens outside the training vocabulary")
        return Tokens(ids.astype(np.int32), tokens.offsets, int(np.searchsorted(self.rows, tokens.pad_id)))

    def restore(self, model: SentenceModel) -> None:
        """Write the rows back and give the model its full matrix again."""
        import torch

        full = self.full.clone()
        full[torch.from_numpy(self.rows)] = model.backbone.get_input_embeddings().weight.detach()  # type: ignore[operator]
        embedding = torch.nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
            full, freeze=False, padding_idx=self._padding_id
        )
        model.backbone.set_input_embeddings(embedding)  # type: ignore[operator]

    def _new_padding_id(self) -> int | None:
        if self._padding_id is None or self._padding_id not in self.rows:
            return None
        return int(np.searchsorted(self.rows, self._padding_id))


def _of_fixed_number(model: SentenceModel) -> NDArray[np.int64]:
    """Ids that must stay what they are: RoBERTa and its kin know padding, and so positions, by the id itself."""
    embeddings = getattr(model.backbone, "embeddings", None)
    padding_id = getattr(embeddings, "padding_idx", None)
    return np.arange(0 if padding_id is None else padding_id + 1)
