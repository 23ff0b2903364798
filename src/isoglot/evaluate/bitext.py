"""Bitext mining as in BUCC: out of two monolingual texts, find the pairs that are translations.

The protocol of the paper and of LASER (Zweigenbaum et al. 2018; Artetxe & Schwenk 2019, arXiv:1811.01136): all lines
of both sides are candidates, scored by the ratio margin of 4 neighbours in both directions, each sentence used once,
and what scores above a threshold counts. It is another thing than the task that MTEB calls BUCC, which looks for the
nearest neighbour among the sentences of gold pairs alone and so has neither wrong candidates nor a threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.record import Benchmark, Line
from isoglot.errors import DamagedError
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.setting import Setting
from isoglot.evaluate.task import Space
from isoglot.mine.knn import nearest_both_ways
from isoglot.mine.margin import Mined, mine
from isoglot.mine.threshold import best_cut

NEIGHBOURS = 4
# splits that a threshold may be learnt from, best first
_FOR_THRESHOLD = ("training", "train", "sample", "dev")


@dataclass(frozen=True)
class Bitext:
    """Two monolingual sides and the pairs that are translations.

    Attributes:
        split: of the test set.
        first: distinct texts of the first language.
        second: distinct texts of the second language.
        gold: numbers of the pairs in both.
    """

    split: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    gold: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class MiningTask:
    """A split to mine, and the one that the threshold is learnt from.

    Attributes:
        test_set: whose sentences.
        languages: tags of both sides.
        test: what is mined.
        training: another split, None when there is none: then the threshold is the one that is best for `test`, which
            is more than a user can know, and the scores' names say so.
    """

    test_set: str
    languages: tuple[str, str]
    test: Bitext
    training: Bitext | None

    @property
    def name(self) -> str:
        """The kind of task."""
        return "mining"

    def texts(self) -> Iterable[str]:
        """Both sides of both splits."""
        for bitext in (self.test, self.training):
            if bitext is not None:
                yield from bitext.first
                yield from bitext.second

    def teacher_texts(self) -> Iterable[str]:
        """None: the teacher is not looked at."""
        return ()

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """Precision, recall and F1; F1 is the one to report."""
        mined = _mined(self.test, model)
        learnt, known = (self.test, mined)
        if self.training is not None:
            learnt, known = self.training, _mined(self.training, model)
        threshold = best_cut(known.scores, _is_gold(learnt, known), len(learnt.gold)).threshold
        items = _items(self.test, mined.chosen(mined.scores >= threshold))
        setting = Setting(self.test_set, self.languages, self._signature(model.fingerprint))
        at = "" if self.training is not None else " at the best threshold"
        return [
            setting.score(f"margin F1{at}", "f1", items, main=True),
            setting.score(f"margin precision{at}", "precision", items),
            setting.score(f"margin recall{at}", "recall", items),
        ]

    def _signature(self, model: str) -> Signature:
        learnt = "best on the test itself" if self.training is None else f"of {self.training.split}"
        protocol = f"ratio margin, {NEIGHBOURS} neighbours both ways, max-score, threshold {learnt}"
        splits = [self.test] if self.training is None else [self.test, self.training]
        data = digest_json([[one.split, one.first, one.second, sorted(one.gold)] for one in splits])
        return Signature("bitext mining", protocol, data, model)


def mining_tasks(benchmarks: Sequence[Benchmark]) -> list[MiningTask]:
    """Give a task for every split with gold pairs that is not needed for a threshold.

    The threshold is learnt from the training split, else the sample, else the dev split. A test set with gold pairs in
    one split alone is mined with the threshold that suits it best.

    Raises:
        DamagedError: a set cannot be read, is empty, or its gold pairs name lines that it does not have.
    """
    splits: dict[tuple[str, tuple[str, str]], list[Benchmark]] = {}
    for benchmark in benchmarks:
        if benchmark.kind == "mining" and benchmark.gold is not None:
            splits.setdefault((benchmark.name, benchmark.languages), []).append(benchmark)
    return [task for found in splits.values() for task in _tasks(found)]


def _tasks(splits: Sequence[Benchmark]) -> Iterable[MiningTask]:
    known = {one.split: one for one in splits}
    source = next((name for name in _FOR_THRESHOLD if name in known), None)
    training = _read(known[source]) if source is not None and len(known) > 1 else None
    for split, benchmark in known.items():
        if training is None or split != training.split:
            yield MiningTask(benchmark.test_set, benchmark.languages, _read(benchmark), training)


def _read(benchmark: Benchmark) -> Bitext:
    """Number the distinct texts of both sides; lines of one text are one candidate, as in LASER."""
    sides: tuple[dict[str, int], dict[str, int]] = ({}, {})
    numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for line in benchmark.records(Line):
        number = sides[line.side].setdefault(line.text, len(sides[line.side]))
        numbers[line.side][line.identifier] = number
    gold = set()
    for pair in benchmark.gold() if benchmark.gold is not None else ():
        for side, identifier in enumerate(pair):
            if identifier not in numbers[side]:
                raise DamagedError(
                    f"{benchmark.files[-1]} names {identifier}, which {benchmark.files[side]} does not have.",
                    "Fetch the test set again.",
                )
        gold.add((numbers[0][pair[0]], numbers[1][pair[1]]))
    if not gold:
        raise DamagedError(f"{benchmark.files[-1]} holds no gold pair.", "Fetch the test set again.")
    return Bitext(benchmark.split, tuple(sides[0]), tuple(sides[1]), frozenset(gold))


def _mined(bitext: Bitext, model: Space) -> Mined:
    first, second = model.vectors(bitext.first), model.vectors(bitext.second)
    return mine(nearest_both_ways(first, second, min(NEIGHBOURS, len(first), len(second))))


def _is_gold(bitext: Bitext, mined: Mined) -> NDArray[np.bool_]:
    pairs = zip(mined.sources.tolist(), mined.targets.tolist(), strict=True)
    return np.array([pair in bitext.gold for pair in pairs], bool)


def _items(bitext: Bitext, mined: Mined) -> NDArray[np.float32]:
    """Predicted, gold and right pairs of every first text: float32 [n, 3].

    Models choose different pairs, but they all choose at most one for each first text, so these can be compared.
    """
    items = np.zeros((len(bitext.first), 3), np.float32)
    items[mined.sources, 0] = 1
    np.add.at(items[:, 1], [first for first, _ in bitext.gold], 1)
    items[mined.sources, 2] = _is_gold(bitext, mined)
    return items
