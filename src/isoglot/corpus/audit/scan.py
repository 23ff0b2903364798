"""Rows against test sentences: counts per corpus, language and test set, and examples."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from isoglot.corpus.audit.index import Index, Match
from isoglot.corpus.benchmarks.matching import matches
from isoglot.corpus.pair import Pair
from isoglot.corpus.split import key
from isoglot.progress import Task

_BATCH = 16_384
_CACHED = 1 << 16  # source sentences come again with their next translations
_EXAMPLES = 3  # per test set, language and kind of match
_SIDES = ("source", "target")
K = TypeVar("K")


class Place(NamedTuple):
    """What is counted apart: where a row was read, the language of its other side, and the test set it leaks."""

    corpus: str
    language: str
    test_set: str


@dataclass
class Leaks:
    """Rows of one place that leak its test set.

    Attributes:
        rows: rows with an exact match on either side.
        by_source: with one on the source side.
        by_target: with one on the other side, in whatever language.
        same_language: with one on the other side among the test sentences of its own language.
        near: with no exact match, but a near one on either side.
    """

    rows: int = 0
    by_source: int = 0
    by_target: int = 0
    same_language: int = 0
    near: int = 0


@dataclass(frozen=True)
class Example:
    """A side of a row that leaks.

    Attributes:
        test_set: which test set it leaks.
        test_language: tag of the test sentence.
        corpus: where the row was read.
        language: tag of the row's other side.
        side: "source" or "target".
        text: that side.
        overlap: share of the test sentence's 5-grams in it; 1 for an exact match.
        exact: whether the keys are equal.
        digest: stands for the test sentence until its text is found.
        test_sentence: the text of the test sentence; empty: not looked up.
    """

    test_set: str
    test_language: str
    corpus: str
    language: str
    side: str
    text: str
    overlap: float
    exact: bool
    digest: bytes
    test_sentence: str = ""


@dataclass
class Audit:
    """What was found.

    Attributes:
        test_sets: what was looked for.
        read: corpus, language -> rows.
        leaks: one entry per place with at least one leak.
        examples: a few for each test set, language and kind of match.
        shown: test set, language, exact -> examples so far.
    """

    test_sets: tuple[str, ...]
    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    leaks: dict[Place, Leaks] = field(default_factory=lambda: defaultdict(Leaks))
    examples: list[Example] = field(default_factory=list)
    shown: Counter[tuple[str, str, bool]] = field(default_factory=Counter)

    def totals(self) -> dict[str, Leaks]:
        """Test set -> leaks of all corpora and languages together."""
        return _summed((place.test_set, leaks) for place, leaks in self.leaks.items())

    def by_corpus(self) -> dict[tuple[str, str], Leaks]:
        """(folder of the corpus, test set) -> leaks: `tatoeba/eng-deu` and `tatoeba/eng-fra` together."""
        return _summed(
            ((place.corpus.partition("/")[0], place.test_set), leaks) for place, leaks in self.leaks.items()
        )


def scan(rows: Iterable[Pair], index: Index, near: float | None, task: Task, audit: Audit) -> None:
    """Look both sides of every row up in an index of test sentences.

    Args:
        rows: the corpus, the source language first.
        index: all test sentences, made with 5-grams when `near` is given.
        near: least share of a test sentence's 5-grams for a near match; None: exact matches only.
        task: advanced by the rows.
        audit: what is found is added to it.
    """
    keyed = functools.lru_cache(_CACHED)(key)
    for batch in _batched(rows):
        keys = [keyed(pair.source) for pair in batch], [key(pair.target) for pair in batch]
        audit.read.update((pair.corpus, pair.target_lang) for pair in batch)
        exact = list(_exact(batch, keys, index))
        _count_exact(batch, exact, audit)
        found = [(side, match, True) for side, match in exact]
        if near is not None:
            nearby = _count_near(batch, list(_near(batch, keys, index, near)), exact, audit)
            found += [(side, match, False) for side, match in nearby]
        audit.examples += _examples(batch, found, audit.shown)
        task.advance(len(batch))


Found = tuple[int, Match]  # side of the row (0 source, 1 target) and the match


def _exact(batch: list[Pair], keys: tuple[list[str], list[str]], index: Index) -> Iterator[Found]:
    for side, rows, is_source in _by_language(batch, index.source_lang):
        searched = index.source if is_source else index.target
        for match in searched.exact([keys[side][row] for row in rows]):
            yield side, match._replace(row=rows[match.row])


def _near(
    batch: list[Pair], keys: tuple[list[str], list[str]], index: Index, least: float
) -> Iterator[Found]:
    for side, rows, is_source in _by_language(batch, index.source_lang):
        searched = index.source if is_source else index.target
        for match in searched.near([keys[side][row] for row in rows], least):
            yield side, match._replace(row=rows[match.row])


def _by_language(batch: list[Pair], source_lang: str) -> Iterator[tuple[int, list[int], bool]]:
    """Each side's rows in the source language and those in others: (side, rows, in the source language)."""
    for side, tags in enumerate(([pair.source_lang for pair in batch], [pair.target_lang for pair in batch])):
        for is_source in (True, False):
            rows = [row for row, tag in enumerate(tags) if (tag == source_lang) == is_source]
            if rows:
                yield side, rows, is_source


def _count_exact(batch: list[Pair], found: Sequence[Found], audit: Audit) -> None:
    sides: dict[tuple[int, str], set[str]] = defaultdict(set)
    for side, match in found:
        kinds = sides[match.row, match.mark.test_set]
        kinds.add(_SIDES[side])
        if side == 1 and matches(match.mark.language, batch[match.row].target_lang):
            kinds.add("same language")
    for (row, test_set), kinds in sides.items():
        leaks = audit.leaks[Place(batch[row].corpus, batch[row].target_lang, test_set)]
        leaks.rows += 1
        leaks.by_source += "source" in kinds
        leaks.by_target += "target" in kinds
        leaks.same_language += "same language" in kinds


def _count_near(
    batch: list[Pair], found: Sequence[Found], exact: Sequence[Found], audit: Audit
) -> list[Found]:
    """Count rows that leak a test set only nearly, and give their matches."""
    known = {(match.row, match.mark.test_set) for _, match in exact}
    nearby = [(side, match) for side, match in found if (match.row, match.mark.test_set) not in known]
    for row, test_set in {(match.row, match.mark.test_set) for _, match in nearby}:
        audit.leaks[Place(batch[row].corpus, batch[row].target_lang, test_set)].near += 1
    return nearby


def _examples(
    batch: list[Pair], found: Iterable[tuple[int, Match, bool]], shown: Counter[tuple[str, str, bool]]
) -> Iterator[Example]:
    for side, match, exact in found:
        pair, (test_set, test_language) = batch[match.row], match.mark
        slot = test_set, pair.target_lang, exact
        if shown[slot] < _EXAMPLES:
            shown[slot] += 1
            text = pair[side]
            yield Example(
                test_set, test_language, pair.corpus, pair.target_lang, _SIDES[side], str(text),
                round(match.overlap, 3), exact, match.digest,
            )  # fmt: skip


def _summed(parts: Iterable[tuple[K, Leaks]]) -> dict[K, Leaks]:
    totals: dict[K, Leaks] = defaultdict(Leaks)
    for name, leaks in parts:
        total = totals[name]
        for column, rows in vars(leaks).items():
            setattr(total, column, getattr(total, column) + rows)
    return dict(totals)


def _batched(rows: Iterable[Pair]) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
