"""Similarity search: does a sentence find its translation among all others of its test set?

Two protocols. The published one (Artetxe & Schwenk 2019, arXiv:1812.10464, section 4.3; Reimers & Gurevych 2020, table
5) searches each language's sentences in its own other side, so a language with 100 sentences has an easier pool than
one with 1 000, and numbers can be held beside those of papers. In ours every language has a pool of one size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.record import Benchmark, Translation
from isoglot.corpus.split import key, position
from isoglot.errors import DamagedError
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.setting import Setting
from isoglot.evaluate.task import Space
from isoglot.mine.knn import nearest

POOL = 1000  # English texts that every language is searched in


@dataclass(frozen=True)
class FixedPool:
    """Distinct English texts, and which of them translates which sentence.

    Attributes:
        texts: the pool: those of the language first, then distractors of other languages.
        rows: numbers of the sentences whose translation is in the pool.
        gold: number in the pool of the translation of each of these.
    """

    texts: tuple[str, ...]
    rows: tuple[int, ...]
    gold: tuple[int, ...]


@dataclass(frozen=True)
class SearchTask:
    """Sentences and their translations; row i translates row i.

    Attributes:
        test_set: whose sentences.
        languages: tags of sentences and translations, the second English.
        sources: sentences.
        targets: their translations.
        pool: of our own protocol.
    """

    test_set: str
    languages: tuple[str, str]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    pool: FixedPool

    @property
    def name(self) -> str:
        """The kind of task."""
        return "search"

    def texts(self) -> Iterable[str]:
        """Both sides, and the pool."""
        return (*self.sources, *self.targets, *self.pool.texts)

    def teacher_texts(self) -> Iterable[str]:
        """The English texts."""
        return (*self.targets, *self.pool.texts)

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """Share of sentences whose nearest neighbour is the translation.

        The number that stands for the task is the model's own x->en in the published pool: it needs no teacher, every
        model has it whatever its dimension, and it is what LASER, its successors and MTEB print.
        """
        sources = model.vectors(self.sources)
        scores = self._published(sources, model.vectors(self.targets), model.fingerprint, "")
        scores += self._pooled(sources, model.vectors(self.pool.texts), model.fingerprint, "")
        if teacher is not None:
            targets = teacher.vectors(self.targets)
            if targets.shape[1] == sources.shape[1]:
                scores += self._published(sources, targets, model.fingerprint, teacher.fingerprint)
                pool = teacher.vectors(self.pool.texts)
                scores += self._pooled(sources, pool, model.fingerprint, teacher.fingerprint)
        return scores

    def _published(
        self, sources: NDArray[np.float32], targets: NDArray[np.float32], model: str, teacher: str
    ) -> list[Score]:
        """Both directions over the published rows; `teacher` is the fingerprint of who made the targets, or empty."""
        english = "teacher en" if teacher else "en"
        rows, data = np.arange(len(sources)), digest_json([self.sources, self.targets])
        scores = []
        for way, queries, documents in (
            (f"x->{english}", sources, targets),
            (f"{english}->x", targets, sources),
        ):
            protocol = f"cosine top-1, {way}, published pool {len(rows)}"
            signature = Signature("similarity search", protocol, data, model, teacher)
            setting = Setting(self.test_set, self.languages, signature)
            main = way == "x->en"
            scores.append(setting.score(f"top-1 {way}", "mean", _hits(queries, documents, rows), main=main))
        return scores

    def _pooled(
        self, sources: NDArray[np.float32], pool: NDArray[np.float32], model: str, teacher: str
    ) -> list[Score]:
        way = "x->teacher en" if teacher else "x->en"
        queries = [self.sources[row] for row in self.pool.rows]
        data = digest_json([queries, self.pool.texts, self.pool.gold])
        protocol = f"cosine top-1, {way}, fixed pool {len(pool)}"
        signature = Signature("similarity search, fixed pool", protocol, data, model, teacher)
        setting = Setting(self.test_set, self.languages, signature)
        hits = _hits(sources[list(self.pool.rows)], pool, np.array(self.pool.gold))
        return [setting.score(f"top-1 {way}, fixed pool", "mean", hits)]


def search_tasks(benchmarks: Sequence[Benchmark]) -> list[SearchTask]:
    """Give a task for every search test set.

    Raises:
        DamagedError: a set cannot be read, or is empty.
    """
    chosen = [one for one in benchmarks if one.kind == "search"]
    sides = [_sides(one) for one in chosen]
    english: dict[str, dict[str, str]] = {}
    for benchmark, (_, targets) in zip(chosen, sides, strict=True):
        known = english.setdefault(benchmark.test_set, {})
        for text in targets:
            known.setdefault(_key(text), text)
    ordered = {name: dict(sorted(known.items(), key=_place)) for name, known in english.items()}
    return [
        SearchTask(one.test_set, one.languages, *both, fixed_pool(both[1], ordered[one.test_set]))
        for one, both in zip(chosen, sides, strict=True)
    ]


def fixed_pool(targets: Sequence[str], others: Mapping[str, str], size: int = POOL) -> FixedPool:
    """Fill a pool with the distinct texts of a language, then with those of the other languages of its test set.

    Distinct means by `corpus.split.key`. The distractors are taken in an order that depends on their words alone, so
    that languages share them as far as they can; there are fewer than `size` texts only where the test set has fewer.

    Args:
        targets: English texts of one language's rows.
        others: English texts of all languages by key, in the order they are taken.
        size: texts in the pool.
    """
    own: dict[str, int] = {}
    texts: list[str] = []
    for text in targets:
        if len(texts) < size and _key(text) not in own:
            own[_key(text)] = len(texts)
            texts.append(text)
    rows = [row for row, text in enumerate(targets) if _key(text) in own]
    spare = (text for known, text in others.items() if known not in own)
    texts += islice(spare, size - len(texts))
    return FixedPool(tuple(texts), tuple(rows), tuple(own[_key(targets[row])] for row in rows))


def _hits(
    queries: NDArray[np.float32], documents: NDArray[np.float32], gold: NDArray[np.int64]
) -> NDArray[np.float32]:
    """1 where the nearest document is the right one, else 0: float32 [q, 1]."""
    _, found = nearest(queries, documents, 1)
    hits: NDArray[np.float32] = (found[:, :1] == gold[:, None]).astype(np.float32)
    return hits


def _sides(benchmark: Benchmark) -> tuple[tuple[str, ...], tuple[str, ...]]:
    records = list(benchmark.records(Translation))
    if not records:
        raise DamagedError(f"{benchmark.files[0]} holds no sentence.", "Fetch the test set again.")
    sources, targets = zip(*records, strict=True)
    return sources, targets


def _key(text: str) -> str:
    return key(text) or text  # a text of punctuation alone is itself


def _place(item: tuple[str, str]) -> int:
    return position(item[0])
