"""The teacher's side of held-out sentences: where a query should land, and the documents among which it searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TeacherConfig
from isoglot.evaluate.task import Space
from isoglot.pipeline.evaluate_models import lacking, space_of
from isoglot.progress import Progress
from isoglot.teacher.axes import AXES
from isoglot.teacher.documents import open_documents
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store


@dataclass(frozen=True)
class Reference:
    """The teacher's vectors of held-out sentences.

    Attributes:
        targets: what the student learns, with the prompt of queries.
        documents: the same texts with the prompt of documents; None: there is one prompt for both.
    """

    targets: Store
    documents: Store | None = None

    @property
    def spaces(self) -> dict[str, str]:
        """Fingerprints, for manifests."""
        spaces = {"teacher space": str(self.targets.space["fingerprint"])}
        if self.documents is not None:
            spaces["document space"] = str(self.documents.space["fingerprint"])
        return spaces

    def vectors(self, texts: list[str]) -> NDArray[np.float32]:
        """Where these texts and their translations should land: float32 [len(texts), dimension]."""
        return self.targets.vectors(texts)

    def searched(self, texts: list[str]) -> NDArray[np.float32] | None:
        """These texts as documents, float32 [len(texts), dimension]; None: as `vectors` has them."""
        return None if self.documents is None else self.documents.vectors(texts)

    def document_space(self, texts: Sequence[str]) -> Space | None:
        """The space of documents for a task; None as above."""
        return None if self.documents is None else space_of([self.documents], lacking(texts, ()))


def refer(
    config: TeacherConfig, targets: Store, texts: Sequence[str], folder: Path, progress: Progress
) -> Reference:
    """Embed held-out texts as documents too, where the teacher has another prompt for those.

    Args:
        config: the teacher.
        targets: its store.
        texts: of the pools.
        folder: store of the documents.
        progress: where to report.
    """
    teacher = open_documents(config, targets.folder / AXES)
    if teacher is None:
        return Reference(targets)
    whole = config.model_copy(update={"dimension": None})  # this teacher gives reduced vectors already
    return Reference(targets, embed(texts, teacher, whole, folder, progress))
