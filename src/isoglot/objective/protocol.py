"""What the training loop asks of an objective; it knows nothing else about what is learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from isoglot.encode.encoder import Encoder

B = TypeVar("B")


class Objective(Protocol[B]):
    """Batches, their loss, and the parts that are trained beside the student.

    Attributes:
        beside: modules that learn with the student and are not shipped, such as a decoder; they are saved in every
            checkpoint. Empty for most.
    """

    @property
    def beside(self) -> nn.ModuleDict:
        """Modules that learn with the student."""

    def epoch(self, number: int) -> Iterator[B]:
        """Yield the batches of one epoch; a pure function of its number, so that a resumed run sees the same ones."""

    def weight(self, batch: B) -> float:
        """Give the weight of a batch among the others of its optimiser step."""

    def tokens(self, batch: B) -> int:
        """Count the tokens that pass through the student, padding left out."""

    def loss(self, student: Encoder, batch: B) -> Tensor:
        """Run the student on a batch: float scalar, a mean over the batch, with its gradient."""

    def texts(self, batch: B) -> list[str]:
        """Name the texts of a batch, for the report of a step that could not be taken."""

    def rows(self, batch: B) -> NDArray[np.int64]:
        """Number the texts of a batch; the digest of these numbers shows that two runs saw the same batches."""
