"""Language bias: are pairs of one kind of languages nearer to each other than as good pairs of another kind?

Two looks at it. Pooling the pairs of several languages in one STS set (Reimers & Gurevych 2020, section 6, table 8): a
model that rates all pairs of one language combination higher loses rank correlation in the pool although it keeps it in
each combination. And a mixed index: with texts of many languages side by side, a sentence should find its translation
before unrelated sentences of its own language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.evaluate.retrieval import pair_cosines
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.search import SearchTask
from isoglot.evaluate.setting import Setting
from isoglot.evaluate.sts import SimilarityTask
from isoglot.evaluate.task import Space
from isoglot.mine.knn import nearest

NEIGHBOURS = 10
SENTENCES = 100  # of each language in the mixed index, so that no language fills it


@dataclass(frozen=True)
class PooledSimilarity:
    """STS pairs of several combinations of languages in one set.

    Attributes:
        test_set: whose pairs.
        members: the sets that are pooled.
    """

    test_set: str
    members: tuple[SimilarityTask, ...]

    @property
    def name(self) -> str:
        """The kind of task."""
        return "bias"

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of all languages in it."""
        return tuple(dict.fromkeys(tag for member in self.members for tag in member.languages))

    def texts(self) -> Iterable[str]:
        """All sentences."""
        for member in self.members:
            yield from member.texts()

    def teacher_texts(self) -> Iterable[str]:
        """None: the teacher is not looked at."""
        return ()

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """Spearman of the pool, the mean of Spearman in each combination, and their difference, which is the bias.

        A little difference has another cause than bias: combinations whose human scores are spread differently.
        """
        items = _side_by_side([member.items(model) for member in self.members])
        data = digest_json([member.digest for member in self.members])
        protocol = f"cosine, Spearman of {len(self.members)} combinations pooled"
        signature = Signature("language bias", protocol, data, model.fingerprint)
        setting = Setting(self.test_set, self.languages, signature)
        return [
            setting.score("joint minus per-pair Spearman", "pooled-minus-mean-spearman", items, main=True),
            setting.score("joint Spearman", "pooled-spearman", items),
            setting.score("mean per-pair Spearman", "mean-spearman", items),
        ]


@dataclass(frozen=True)
class MixedIndex:
    """Sentences of several languages and their English translations, all in one index.

    Attributes:
        test_set: whose sentences.
        tags: the languages beside English.
        sources: sentences of each of them.
        targets: their English translations.
    """

    test_set: str
    tags: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """The kind of task."""
        return "bias"

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of all languages in it."""
        return (*self.tags, "en")

    def texts(self) -> Iterable[str]:
        """All sentences."""
        for side in (*self.sources, *self.targets):
            yield from side

    def teacher_texts(self) -> Iterable[str]:
        """None: the teacher is not looked at."""
        return ()

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """In each language, how often a translation is nearer than any other sentence of the sentence's own language.

        And, to be held beside the share of that language in the index, its share among the nearest neighbours.
        """
        english = list(dict.fromkeys(text for side in self.targets for text in side))
        vectors = [model.vectors(side) for side in self.sources]
        index = np.concatenate([*vectors, model.vectors(english)])
        language = np.repeat(np.arange(len(self.tags) + 1), [*map(len, self.sources), len(english)])
        data = digest_json([self.tags, self.sources, self.targets])
        scores, start = [], 0
        for number, tag in enumerate(self.tags):
            own, targets = vectors[number], model.vectors(self.targets[number])
            chance = (len(own) - 1) / (len(index) - 1)
            protocol = (
                f"cosine, {len(index)} texts, {len(self.tags)} languages and English, chance {chance:.4f}"
            )
            signature = Signature("mixed index", protocol, data, model.fingerprint)
            setting = Setting(self.test_set, (tag, "en"), signature)
            same = _neighbours(own, index, start, NEIGHBOURS, language) == number
            nearer = pair_cosines(own, targets) > _nearest_other(own)
            scores.append(
                setting.score("translation before own language", "mean", nearer[:, None], main=True)
            )
            share = same.mean(axis=1, keepdims=True)
            scores.append(setting.score(f"own language among {NEIGHBOURS} nearest", "mean", share))
            start += len(own)
        return scores


def bias_tasks(
    similarity: Sequence[SimilarityTask], search: Sequence[SearchTask]
) -> list[PooledSimilarity | MixedIndex]:
    """Pool every STS test set of several combinations, and mix every search test set of several languages."""
    pooled: dict[str, list[SimilarityTask]] = {}
    for one in similarity:
        pooled.setdefault(one.test_set, []).append(one)
    mixed: dict[str, list[SearchTask]] = {}
    for two in search:
        mixed.setdefault(two.test_set, []).append(two)
    return [
        *(PooledSimilarity(name, tuple(found)) for name, found in pooled.items() if len(found) > 1),
        *(_mixed(name, found) for name, found in mixed.items() if len(found) > 1),
    ]


def _mixed(test_set: str, members: Sequence[SearchTask]) -> MixedIndex:
    """The first distinct sentences of every language, with their translations."""
    kept = []
    for one in members:
        rows: dict[str, str] = {}
        for source, target in zip(one.sources, one.targets, strict=True):
            if len(rows) < SENTENCES:
                rows.setdefault(source, target)
        kept.append(rows)
    return MixedIndex(
        test_set,
        tuple(one.languages[0] for one in members),
        tuple(tuple(rows) for rows in kept),
        tuple(tuple(rows.values()) for rows in kept),
    )


def _side_by_side(items: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Give every set a column of cosines, NaN in the rows of other sets, and the human scores the last one.

    Where all sets have the same human scores row by row, a row is one pair in several languages, and stays one: the
    bootstrap draws it in all sets or in none, or else intervals would be far too narrow.
    """
    if all(np.array_equal(one[:, 1], items[0][:, 1]) for one in items):
        return np.column_stack([*(one[:, 0] for one in items), items[0][:, 1]])
    gold = np.concatenate([one[:, 1] for one in items])
    cosines = np.full((len(gold), len(items)), np.nan)
    start = 0
    for number, one in enumerate(items):
        cosines[start : start + len(one), number] = one[:, 0]
        start += len(one)
    return np.column_stack([cosines, gold])


def _neighbours(
    queries: NDArray[np.float32],
    index: NDArray[np.float32],
    start: int,
    k: int,
    language: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Languages of the `k` nearest texts of the index beside the query itself, number `start` + row: int64 [q, k]."""
    _, found = nearest(queries, index, min(k + 1, len(index)))
    own = found == np.arange(start, start + len(queries))[:, None]
    own[~own.any(axis=1), -1] = True  # texts with the very same vector came before it: drop the last
    languages: NDArray[np.int64] = language[found[~own].reshape(len(queries), -1)]
    return languages


def _nearest_other(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Highest cosine of each row with another row, rounded like `pair_cosines`: float64 [n]."""
    rows = vectors.astype(np.float64)
    lengths = np.maximum(np.linalg.norm(rows, axis=1), 1e-12)
    cosines = rows @ rows.T / np.outer(lengths, lengths)
    np.fill_diagonal(cosines, -2)
    highest: NDArray[np.float64] = cosines.max(axis=1).round(12)
    return highest
