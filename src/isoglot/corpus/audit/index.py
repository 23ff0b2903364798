"""All sentences of some test sets, searchable by key and by 5-grams: sorted arrays, 32 bytes per sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.audit.ngrams import ngrams
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.corpus.split import key

_BATCH = 16_384
_FILTER_BITS = 24
_MOST_PAIRS = 1 << 21  # occurrences of 5-grams looked at together, about 100 MB
FEWEST = 4  # 5-grams of a test sentence, so eight words: shorter ones are in many texts by chance


class Mark(NamedTuple):
    """Where a test sentence stands: the test set and the tag of its language."""

    test_set: str
    language: str


class Match(NamedTuple):
    """A text that is in a test set.

    Attributes:
        row: the text's number.
        mark: where the test sentence stands.
        overlap: share of the test sentence's 5-grams in the text; 1 for an exact match.
        digest: `sentence_digest` of the test sentence's key.
    """

    row: int
    mark: Mark
    overlap: float
    digest: bytes


@dataclass(frozen=True)
class Postings:
    """Which of n test sentences hold a 5-gram; sentences of fewer than `FEWEST` 5-grams are left out.

    Attributes:
        grams: uint64 [p], sorted; one entry per 5-gram and sentence.
        sentence: int64 [p].
        total: int64 [n], distinct 5-grams of each sentence.
        maybe: bool [2**24], by the highest bits of a 5-gram: False: no sentence has it. It answers most questions.
    """

    grams: NDArray[np.uint64]
    sentence: NDArray[np.int64]
    total: NDArray[np.int64]
    maybe: NDArray[np.bool_]


@dataclass(frozen=True)
class Side:
    """The test sentences that one side of a corpus is compared with, n distinct keys with their marks.

    Attributes:
        hashes: int64 [n], sorted; Python's hash of each key.
        digests: uint64 [n, 2], 16 bytes of blake2b of each key, which decide when hashes are equal.
        mark: int64 [n], index into `marks`.
        marks: where sentences stand.
        postings: their 5-grams; None: only exact matches are looked for.
    """

    hashes: NDArray[np.int64]
    digests: NDArray[np.uint64]
    mark: NDArray[np.int64]
    marks: tuple[Mark, ...]
    postings: Postings | None

    def exact(self, keys: Sequence[str]) -> Iterator[Match]:
        """Yield every test sentence that has the key of a row, in the order of the rows."""
        hashes = np.fromiter(map(hash, keys), np.int64, len(keys))
        first = np.searchsorted(self.hashes, hashes, "left")
        for row in np.flatnonzero(first < np.searchsorted(self.hashes, hashes, "right")).tolist():
            digest, place = sentence_digest(keys[row]), int(first[row])
            while place < len(self.hashes) and self.hashes[place] == hashes[row]:
                if self.digests[place].tobytes() == digest:
                    yield Match(row, self.marks[self.mark[place]], 1.0, digest)
                place += 1

    def near(self, keys: Sequence[str], least: float) -> Iterator[Match]:
        """Yield every test sentence of whose distinct 5-grams at least the share `least` is in a row.

        Test sentences of fewer than `FEWEST` 5-grams (eight words) have no near matches.

        Raises:
            ValueError: the index was made without 5-grams.
        """
        if self.postings is None:
            raise ValueError("the index holds no 5-grams")
        for row, sentence, shared in _shared(self.postings, keys):
            overlap = shared / self.postings.total[sentence]
            for place in np.flatnonzero(overlap >= least).tolist():
                number = sentence[place]
                digest = self.digests[number].tobytes()
                yield Match(int(row[place]), self.marks[self.mark[number]], float(overlap[place]), digest)


@dataclass(frozen=True)
class Index:
    """Test sentences by the side of a corpus they are compared with.

    Attributes:
        source_lang: the language of `source`.
        test_sets: names, in the order of the benchmarks.
        source: sentences in that language.
        target: sentences in all others.
    """

    source_lang: str
    test_sets: tuple[str, ...]
    source: Side
    target: Side

    @property
    def sentences(self) -> int:
        """Number of distinct test sentences, counted once per test set and language."""
        return len(self.source.hashes) + len(self.target.hashes)


def build_index(benchmarks: Sequence[Benchmark], source_lang: str, *, with_ngrams: bool) -> Index:
    """Read all test sets into an index.

    Args:
        benchmarks: what to look for.
        source_lang: canonical tag of the corpus's source language.
        with_ngrams: also keep 5-grams, for near matches; 16 bytes each.

    Raises:
        DamagedError: a test set cannot be read.
    """
    sides = {is_source: _SideBuilder(with_ngrams=with_ngrams) for is_source in (True, False)}
    for benchmark in benchmarks:
        marks = {tag: Mark(benchmark.test_set, tag) for tag in benchmark.languages}
        for tag, text in benchmark.sentences():
            sides[tag == source_lang].add(marks[tag], text)
    names = tuple(dict.fromkeys(benchmark.test_set for benchmark in benchmarks))
    return Index(source_lang, names, sides[True].finish(), sides[False].finish())


class _SideBuilder:
    """Collects sentences in compact arrays; equal ones are merged at the end."""

    def __init__(self, *, with_ngrams: bool) -> None:
        self._with_ngrams = with_ngrams
        self._marks: dict[Mark, int] = {}
        self._waiting: dict[tuple[str, int], None] = {}
        self._parts: list[_Part] = []

    def add(self, mark: Mark, text: str) -> None:
        if sentence_key := key(text):
            self._waiting[sentence_key, self._marks.setdefault(mark, len(self._marks))] = None
        if len(self._waiting) == _BATCH:
            self._flush()

    def finish(self) -> Side:
        self._flush()
        return _merged(self._parts, tuple(self._marks))

    def _flush(self) -> None:
        keys = [sentence_key for sentence_key, _ in self._waiting]
        digests = b"".join(map(sentence_digest, keys))
        self._parts.append(
            _Part(
                np.fromiter(map(hash, keys), np.int64, len(keys)),
                np.frombuffer(digests, np.uint64).reshape(-1, 2),
                np.fromiter((number for _, number in self._waiting), np.int64, len(keys)),
                ngrams(keys) if self._with_ngrams else None,
            )
        )
        self._waiting = {}


class _Part(NamedTuple):
    hashes: NDArray[np.int64]
    digests: NDArray[np.uint64]
    mark: NDArray[np.int64]
    grams: tuple[NDArray[np.uint64], NDArray[np.int64]] | None


def _merged(parts: list[_Part], marks: tuple[Mark, ...]) -> Side:
    hashes = np.concatenate([part.hashes for part in parts])
    digests = np.concatenate([part.digests for part in parts])
    mark = np.concatenate([part.mark for part in parts])
    order = np.lexsort((mark, digests[:, 1], digests[:, 0], hashes))
    hashes, digests, mark = hashes[order], digests[order], mark[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (
        (hashes[1:] != hashes[:-1]) | (digests[1:] != digests[:-1]).any(axis=1) | (mark[1:] != mark[:-1])
    )
    place = np.empty(len(order), np.int64)  # where each sentence as it was collected is now
    place[order] = np.cumsum(new) - 1
    kept = np.zeros(len(order), bool)
    kept[order[new]] = True
    return Side(hashes[new], digests[new], mark[new], marks, _postings(parts, place, kept))


def _postings(parts: list[_Part], place: NDArray[np.int64], kept: NDArray[np.bool_]) -> Postings | None:
    """Sort the 5-grams of the sentences that were kept."""
    if any(part.grams is None for part in parts):
        return None
    offsets = np.cumsum([0, *(len(part.hashes) for part in parts[:-1])])
    grams = np.concatenate([part.grams[0] for part in parts if part.grams])
    collected = np.concatenate(
        [part.grams[1] + offset for part, offset in zip(parts, offsets, strict=True) if part.grams]
    )
    total = np.zeros(int(kept.sum()), np.int64)
    grams, sentence = grams[kept[collected]], place[collected[kept[collected]]]
    np.add.at(total, sentence, 1)
    long = total[sentence] >= FEWEST
    grams, sentence = grams[long], sentence[long]
    order = np.argsort(grams, kind="stable")
    maybe = np.zeros(1 << _FILTER_BITS, bool)
    maybe[_high_bits(grams)] = True
    return Postings(grams[order], sentence[order], total, maybe)


def _shared(postings: Postings, keys: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Yield rows, sentences, and the number of 5-grams that each such pair shares; each int64 [pairs].

    All pairs of a row come at once, and so few rows at a time that memory stays small even when a 5-gram is in
    thousands of test sentences.
    """
    grams, row = ngrams(keys)
    known = postings.maybe[_high_bits(grams)]
    grams, row = grams[known], row[known]
    first = np.searchsorted(postings.grams, grams, "left")
    times = np.searchsorted(postings.grams, grams, "right") - first
    for part in _bounded(row, times):
        count = times[part]
        # every occurrence of the 5-gram: first, first + 1, ..., first + times - 1
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        sentence = postings.sentence[np.repeat(first[part], count) + within]
        pairs, shared = np.unique(
            np.stack([np.repeat(row[part], count), sentence], axis=1), axis=0, return_counts=True
        )
        yield pairs[:, 0], pairs[:, 1], shared


def _bounded(row: NDArray[np.int64], times: NDArray[np.int64]) -> Iterator[slice]:
    """Cut between rows so that a part has at most `_MOST_PAIRS` occurrences, or is one row."""
    before = np.concatenate([[0], np.cumsum(times)])
    ends = np.concatenate([np.flatnonzero(row[1:] != row[:-1]) + 1, [len(row)]])
    start = 0
    while start < len(row):
        fitting = ends[(ends > start) & (before[ends] <= before[start] + _MOST_PAIRS)]
        end = int(fitting[-1] if len(fitting) else ends[ends > start][0])
        yield slice(start, end)
        start = end


def _high_bits(grams: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (grams >> np.uint64(64 - _FILTER_BITS)).astype(np.int64)


def sentence_digest(sentence_key: str) -> bytes:
    """16 bytes that stand for a key."""
    # surrogatepass: a damaged row of a corpus may hold lone surrogates
    return hashlib.blake2b(sentence_key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
