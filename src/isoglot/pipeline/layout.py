"""What a run folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCORES = "scores.json"
REPORT = "report.html"


@dataclass(frozen=True)
class RunFolder:
    """Names inside the folder of one run."""

    root: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe, JSON."""
        return self.root / "recipe.json"

    @property
    def corpus(self) -> Path:
        """The corpus artefact."""
        return self.root / "corpus"

    @property
    def store(self) -> Path:
        """The teacher store."""
        return self.root / "store"

    @property
    def documents(self) -> Path:
        """The store of held-out sentences as documents, where the teacher has another prompt for those."""
        return self.root / "documents"

    @property
    def rows(self) -> Path:
        """Vectors of single tokens that a static or lstm student starts from."""
        return self.root / "token_vectors"

    @property
    def start(self) -> Path:
        """The warm start: Dense weights, and held-out scores before and after it."""
        return self.root / "warm_start"

    @property
    def training(self) -> Path:
        """Checkpoints and step log."""
        return self.root / "training"

    @property
    def student(self) -> Path:
        """The student: a sentence-transformers folder."""
        return self.root / "student"

    @property
    def scores(self) -> Path:
        """Held-out scores, JSON."""
        return self.root / SCORES

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.root / REPORT
