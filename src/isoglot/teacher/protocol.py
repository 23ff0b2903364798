"""What a teacher is: anything that gives sentences a place in one vector space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Teacher(Protocol):
    """The owner of a space: an encoder, an endpoint, or a file of vectors that some encoder once made."""

    @property
    def dimension(self) -> int:
        """Width of the vectors."""

    @property
    def normalise(self) -> bool:
        """Whether all vectors have unit length, so that the student's should too."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i."""

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts the teacher has no vector for, bool [len(texts)]."""

    def space(self) -> Mapping[str, object]:
        """Parts of the space's fingerprint, their digest under "fingerprint", and the "dimension"."""


@runtime_checkable
class WorksAhead(Protocol):
    """A teacher that prepares the next list of sentences, in a thread, while it embeds one."""

    def encode_each(self, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        """Give for each list what `encode` gives, bit for bit."""


def encode_each(teacher: Teacher, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
    """Encode lists one after another, each by itself, ahead where the teacher can."""
    return teacher.encode_each(lists) if isinstance(teacher, WorksAhead) else map(teacher.encode, lists)
