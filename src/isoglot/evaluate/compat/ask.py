"""Queries put to an index by teacher and student, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.compat.answers import Asked, without_identical
from isoglot.evaluate.compat.queries import Query
from isoglot.evaluate.compat.ranking import CUT
from isoglot.evaluate.indexes.index import Documents, Index
from isoglot.progress import Task

_BATCH = 256  # English queries at a time, with all their parallels
_SPARE = 10  # hits beyond ten that identical texts may cost
_MOST = 1000  # hits of a query whose identical texts leave too few

Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Embedded:
    """Vectors of all texts: the teacher's of English queries, the student's of queries; text -> float32 [d]."""

    teacher: Vectors
    student: Vectors


def ask(index: Index, queries: Sequence[Query], vectors: Embedded, task: Task) -> Iterator[Asked]:
    """Search the index with both models' vectors of every query.

    An English text is asked once for all its parallels. Hits go far enough that ten are left without texts that are
    identical to the query.

    Args:
        index: open.
        queries: in any order.
        vectors: of all their texts.
        task: counts queries.
    """
    parallels: dict[str, list[Query]] = {}
    for query in queries:
        parallels.setdefault(query.english, []).append(query)
    english = list(parallels)
    for start in range(0, len(english), _BATCH):
        some = english[start : start + _BATCH]
        expected = _search(index, some, vectors.teacher)
        batch = [query for text in some for query in parallels[text]]
        for first in range(0, len(batch), _BATCH):
            part = batch[first : first + _BATCH]
            yield from _ask_student(index, part, expected, vectors)
            task.advance(len(part))


def _ask_student(
    index: Index, queries: Sequence[Query], expected: Mapping[str, Documents], vectors: Embedded
) -> Iterator[Asked]:
    found = _search(index, list(dict.fromkeys(query.text for query in queries)), vectors.student)
    for query in queries:
        one, other = vectors.teacher[query.english], vectors.student[query.text]
        yield Asked(
            query,
            one,
            other,
            _enough(index, expected[query.english], one, query),
            _enough(index, found[query.text], other, query),
        )


def _search(index: Index, texts: Sequence[str], vectors: Vectors) -> dict[str, Documents]:
    found = index.search(np.stack([vectors[text] for text in texts]), CUT + _SPARE)
    return dict(zip(texts, found, strict=True))


def _enough(index: Index, hits: Documents, vector: NDArray[np.float32], query: Query) -> Documents:
    """Look further where texts identical to the query, or to each other, leave fewer than ten hits."""
    wanted = CUT + _SPARE
    while len(hits.ids) == wanted and wanted < _MOST and len(without_identical(hits, query).ids) < CUT:
        wanted = min(4 * wanted, _MOST)
        hits = index.search(vector[None, :], wanted)[0]
    return hits
