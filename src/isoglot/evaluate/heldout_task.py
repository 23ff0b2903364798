"""Held-out sentences of a corpus as a task: does a translation find its original?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.statistics import interval, value
from isoglot.evaluate.task import Space
from isoglot.mine.knn import nearest

TEST_SET = "held-out"


@dataclass(frozen=True)
class Ends:
    """Fingerprints of the encoder of the queries, and of the documents' where that is another."""

    model: str
    index: str = ""


@dataclass(frozen=True)
class HeldOutTask:
    """Translations searched in one fixed pool of originals: the model's, and the teacher's where there is one.

    Attributes:
        test: the texts.
        source_language: tag of the pool's language.
        documents: the teacher's vectors of the pool as documents, when it has another prompt for those; None: the
            vectors that the queries should land on.
    """

    test: HeldOut
    source_language: str
    documents: Space | None = None

    @property
    def name(self) -> str:
        """The kind of task."""
        return "heldout"

    @property
    def test_set(self) -> str:
        """Whose sentences."""
        return TEST_SET

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of all languages in it."""
        return (*self.test.languages, self.source_language)

    def texts(self) -> Iterable[str]:
        """Queries and pool."""
        return [*self.test.queries, *self.test.pool]

    def teacher_texts(self) -> Iterable[str]:
        """The pool."""
        return self.test.pool

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """Top-1 accuracy in every language, and the distance to the teacher's vectors."""
        queries, pool = model.vectors(self.test.queries), model.vectors(self.test.pool)
        own = self._searched(queries, pool, Ends(model.fingerprint), main=teacher is None)
        if teacher is None:
            return own
        ends, targets = Ends(model.fingerprint, teacher.fingerprint), teacher.vectors(self.test.pool)
        distances = np.square(queries - targets[self.test.gold]).mean(axis=1)
        index = teacher if self.documents is None else self.documents
        searched = self._searched(
            queries, index.vectors(self.test.pool), Ends(model.fingerprint, index.fingerprint), main=True
        )
        return [*searched, *own, *self._scored("MSE", distances, ends, main=False)]

    def _searched(
        self, queries: NDArray[np.float32], pool: NDArray[np.float32], ends: Ends, *, main: bool
    ) -> list[Score]:
        hits = nearest(queries, pool, 1)[1][:, 0] == self.test.gold
        return self._scored(f"top-1 to {'teacher' if ends.index else 'student'}", hits, ends, main=main)

    def _scored(self, metric: str, outcomes: NDArray[np.generic], ends: Ends, *, main: bool) -> list[Score]:
        """One score per language: the mean of its outcomes, one per query."""
        protocol = f"student->{'teacher' if ends.index else 'student'}, pool {len(self.test.pool)}"
        task = "MSE" if metric == "MSE" else "retrieval top-1"
        signature = Signature(task, protocol, self.test.digest, ends.model, ends.index)
        scores = []
        for number, language in enumerate(self.test.languages):
            items = np.asarray(outcomes[self.test.rows_of(number)], np.float32)[:, None]
            scores.append(Score(
                TEST_SET, (language, self.source_language), metric, value("mean", items), interval("mean", items),
                main, signature, "mean", items,
            ))  # fmt: skip
        return scores


def of_languages(test: HeldOut, wanted: Sequence[str]) -> HeldOut:
    """Keep the queries in some languages; the pool stays whole, so that scores do not depend on the choice."""
    kept = [number for number, tag in enumerate(test.languages) if tag in wanted]
    rows = np.flatnonzero(np.isin(test.language, kept))
    numbers = np.searchsorted(kept, test.language[rows]).astype(np.int16)
    queries = [test.queries[row] for row in rows]
    return HeldOut(test.pool, queries, test.gold[rows], numbers, tuple(test.languages[n] for n in kept))
