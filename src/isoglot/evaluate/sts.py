"""Semantic textual similarity: do cosines rank pairs of sentences as people do, in a language and between two?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.record import Benchmark, Similarity
from isoglot.errors import DamagedError
from isoglot.evaluate.retrieval import pair_cosines
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.setting import Setting
from isoglot.evaluate.task import Space

_ENGLISH = ("en", "en")


@dataclass(frozen=True)
class SimilarityTask:
    """Pairs of sentences that people scored.

    Attributes:
        test_set: whose sentences.
        languages: tags of first and second sentence.
        first: first sentences.
        second: second sentences.
        gold: scores of the pairs, higher for more alike.
        crossed: whether the pairs were made of two languages of one set; see `similarity_tasks`.
    """

    test_set: str
    languages: tuple[str, str]
    first: tuple[str, ...]
    second: tuple[str, ...]
    gold: tuple[float, ...]
    crossed: bool = False

    @property
    def name(self) -> str:
        """The kind of task."""
        return "sts"

    @property
    def digest(self) -> str:
        """Digest of sentences and scores."""
        return digest_json([self.first, self.second, self.gold])

    def texts(self) -> Iterable[str]:
        """All sentences."""
        return (*self.first, *self.second)

    def teacher_texts(self) -> Iterable[str]:
        """None: the teacher is not looked at."""
        return ()

    def items(self, model: Space) -> NDArray[np.float64]:
        """Cosine and score of every pair: float64 [n, 2]."""
        cosines = pair_cosines(model.vectors(self.first), model.vectors(self.second))
        return np.stack([cosines, np.array(self.gold)], axis=1)

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """Spearman's and Pearson's correlation of cosines and scores; Spearman's is the one to report."""
        protocol = "cosine, cross-lingual of parallel rows" if self.crossed else "cosine"
        signature = Signature("STS", protocol, self.digest, model.fingerprint)
        setting, items = Setting(self.test_set, self.languages, signature), self.items(model)
        suffix = ", cross-lingual" if self.crossed else ""
        return [
            setting.score(f"Spearman{suffix}", "spearman", items, main=True),
            setting.score(f"Pearson{suffix}", "pearson", items),
        ]


def similarity_tasks(benchmarks: Sequence[Benchmark]) -> list[SimilarityTask]:
    """Give a task for every STS test set, and those that come of combining its languages.

    Where a language has the English set's scores row by row, as in STSb, row i is the same pair: so its first sentence
    with the English second one, and the English first with its second, make two cross-lingual sets more.

    Raises:
        DamagedError: a set cannot be read, or is empty.
    """
    published = [_task(one) for one in benchmarks if one.kind == "sts"]
    english = {task.test_set: task for task in published if task.languages == _ENGLISH}
    crossed = [
        one
        for task in published
        if task.languages[0] == task.languages[1] != "en"
        and task.test_set in english
        and task.gold == english[task.test_set].gold
        for one in _crossed(task, english[task.test_set])
    ]
    return published + crossed


def _task(benchmark: Benchmark) -> SimilarityTask:
    records = list(benchmark.records(Similarity))
    if not records:
        raise DamagedError(f"{benchmark.files[0]} holds no pair.", "Fetch the test set again.")
    first, second, gold = zip(*records, strict=True)
    return SimilarityTask(benchmark.test_set, benchmark.languages, first, second, gold)


def _crossed(task: SimilarityTask, english: SimilarityTask) -> Iterable[SimilarityTask]:
    tag = task.languages[0]
    yield SimilarityTask(task.test_set, (tag, "en"), task.first, english.second, task.gold, crossed=True)
    yield SimilarityTask(task.test_set, ("en", tag), english.first, task.second, task.gold, crossed=True)
