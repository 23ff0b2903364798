"""An encoder of ours as MTEB wants a model: what it calls its `EncoderProtocol`, and the model's metadata."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.progress import Progress
from isoglot.teacher.protocol import Teacher

if TYPE_CHECKING:
    import torch
    from mteb import TaskMetadata
    from mteb.models import ModelMeta

_SLICE = 1024  # texts between two reports of progress


class MtebModel:
    """Gives MTEB the vectors of an encoder.

    The encoder's own prompt stands before every text, as everywhere in isoglot; prompts of MTEB's tasks are not used.

    Args:
        encoder: any encoder.
        label: its name, path or address.
        progress: where texts are counted.
    """

    def __init__(self, encoder: Teacher, label: str, progress: Progress) -> None:
        self.encoder = encoder
        self.progress = progress
        self.mteb_model_meta = meta_of(encoder, label)

    def encode(
        self,
        inputs: Sequence[dict[str, Any]],
        *,
        task_metadata: TaskMetadata,
        hf_split: str,
        hf_subset: str,
        prompt_type: object = None,
        **_settings: object,  # MTEB's calling convention: batch size and progress bar, which are ours to choose
    ) -> NDArray[np.float32]:
        """Return float32 [n, dimension] of the n texts in all batches of `inputs`; equal texts are encoded once."""
        texts = [text for batch in inputs for text in batch["text"]]
        distinct = list(dict.fromkeys(texts))
        vectors = np.empty((len(distinct), self.encoder.dimension), np.float32)
        label = f"mteb:{task_metadata.name} {hf_subset} {hf_split}"
        with self.progress.task(label, len(distinct), "texts") as task:
            for start in range(0, len(distinct), _SLICE):
                part = distinct[start : start + _SLICE]
                vectors[start : start + len(part)] = self.encoder.encode(part)
                task.advance(len(part))
        place = {text: number for number, text in enumerate(distinct)}
        return vectors[[place[text] for text in texts]]

    def similarity(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> torch.Tensor:
        """Cosines of all rows of `first` with all rows of `second`, [n, m]."""
        from mteb.similarity_functions import cos_sim

        cosines: torch.Tensor = cos_sim(first, second)
        return cosines

    def similarity_pairwise(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> torch.Tensor:
        """Cosine of each row of `first` with the same row of `second`, [n]."""
        from mteb.similarity_functions import pairwise_cos_sim

        cosines: torch.Tensor = pairwise_cos_sim(first, second)
        return cosines


def meta_of(encoder: Teacher, label: str) -> ModelMeta:
    """MTEB's record of a model: its name for people, the fingerprint of its space as revision, and no claims."""
    from mteb.models import ModelMeta

    space = encoder.space()
    max_tokens = space.get("max_tokens")
    return ModelMeta(
        loader=None,
        name=name_of(label),
        revision=str(space["fingerprint"]),
        release_date=None,
        languages=None,
        n_parameters=None,
        memory_usage_mb=None,
        max_tokens=float(max_tokens) if isinstance(max_tokens, int) else None,
        embed_dim=encoder.dimension,
        license=None,
        open_weights=None,
        public_training_code=None,
        public_training_data=None,
        framework=[],
        similarity_fn_name="cosine",
        use_instructions=bool(space.get("prompt")),
        training_datasets=None,
    )


def name_of(label: str) -> str:
    """The name under which results stand: `organisation/name` of a hub id, `isoglot/NAME` of anything else.

    >>> name_of("runs/demo/student/")
    'isoglot/student'
    """
    hub_id = re.fullmatch(r"[\w.-]+/[\w.-]+", label)
    if hub_id and not Path(label).exists():
        return label
    last = re.split(r"[/#:]", label.rstrip("/"))[-1]
    return f"isoglot/{re.sub(r'[^0-9A-Za-z._-]+', '-', last)}"
