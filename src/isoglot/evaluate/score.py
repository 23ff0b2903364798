"""Scores that say what they measured: two numbers are comparable only if their signatures match."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class Signature:
    """Everything that changes a score.

    Attributes:
        task: what was measured, such as "retrieval top-1".
        protocol: how, such as "student->teacher, pool 1000".
        data: digest of the sentences.
        model: fingerprint of the encoder.
    """

    task: str
    protocol: str
    data: str
    model: str

    def __str__(self) -> str:
        short = f"data:{self.data[:12]}|model:{self.model[:12]}"
        return f"{self.task}|{self.protocol}|{short}|isoglot:{version('isoglot')}"
