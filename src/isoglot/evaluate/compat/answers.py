"""One query asked both ways, reduced to the few numbers that the metrics need: vectors of hits are not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.split import key
from isoglot.evaluate.compat.overlap import overlap
from isoglot.evaluate.compat.queries import Query
from isoglot.evaluate.compat.ranking import CUT
from isoglot.evaluate.indexes.index import Documents
from isoglot.evaluate.indexes.metric import Metric, scores


@dataclass(frozen=True, eq=False)
class Asked:
    """A query and what was found for it.

    Attributes:
        query: its texts.
        teacher: float32 [d], the teacher's vector of the English text.
        student: float32 [d], the student's of the query.
        expected: hits of the teacher's vector, best first.
        found: hits of the student's.
    """

    query: Query
    teacher: NDArray[np.float32]
    student: NDArray[np.float32]
    expected: Documents
    found: Documents


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """Numbers of a query whose relevant documents nobody knows.

    Attributes:
        pairs: float32 [n, 2], scores of the teacher and of the student for every document among either's hits.
        first: how many of them, from the start, are hits of the teacher.
        overlap: share of the teacher's hits that are among the student's, 0..1.
    """

    pairs: NDArray[np.float32]
    first: int
    overlap: float


@dataclass(frozen=True, eq=False)
class Labelled:
    """Numbers of a query with relevant documents; scores and grades are of each model's own hits, best first.

    Attributes:
        pairs: float32 [n, 2], as in `Unlabelled`.
        scores: float32 [2, 10], of the teacher's and of the student's hits; NaN where there are fewer.
        gains: float64 [2, 10], their grades, 0 where not relevant.
        ideal: float64 [10], the highest grades there are, descending.
        relevant: relevant documents of the query.
    """

    pairs: NDArray[np.float32]
    scores: NDArray[np.float32]
    gains: NDArray[np.float64]
    ideal: NDArray[np.float64]
    relevant: int


def without_identical(hits: Documents, query: Query) -> Documents:
    """Drop the query's own texts from its hits, and all but the best hit of every text; keep ten at most.

    Texts are compared as the corpus does: NFC, case folded, without punctuation. Documents without text are compared
    by their ids.
    """
    seen = {key(query.text), key(query.english)}
    rows: list[int] = []
    for row, name in enumerate(content(hits)):
        if name not in seen:
            seen.add(name)
            rows.append(row)
    return hits.chosen(rows[:CUT])


def content(hits: Documents) -> list[str]:
    """What makes two documents the same: the key of their text, else their id."""
    return [key(text) or f"\0{name}" for name, text in zip(hits.ids, hits.texts, strict=True)]


def is_document(asked: Asked) -> bool:
    """Tell whether a query is itself a document: of a search that has its answer in it nothing can be learned."""
    own = {key(asked.query.text), key(asked.query.english)}
    return not own.isdisjoint([*content(asked.expected), *content(asked.found)])


def unlabelled(asked: Asked, metric: Metric) -> Unlabelled | None:
    """Compare the student's hits with the teacher's; None where nothing is left but the query's own texts."""
    expected, found = (without_identical(hits, asked.query) for hits in (asked.expected, asked.found))
    if not expected.ids:
        return None
    shared = overlap(content(expected), content(found), CUT)
    return Unlabelled(_pairs(asked, expected, found, metric), len(expected.ids), shared)


def labelled(asked: Asked, grades: Mapping[str, float], metric: Metric) -> Labelled:
    """Grade both models' hits.

    Args:
        asked: the query.
        grades: document id -> grade above 0 of its relevant documents, at least one.
        metric: the index's own.
    """
    hits = (asked.expected.first(CUT), asked.found.first(CUT))
    own, gains = np.full((2, CUT), np.nan, np.float32), np.zeros((2, CUT))
    for row, (vector, documents) in enumerate(zip((asked.teacher, asked.student), hits, strict=True)):
        own[row, : len(documents.ids)] = scores(vector, documents.vectors, metric)
        gains[row, : len(documents.ids)] = [grades.get(name, 0.0) for name in documents.ids]
    ideal = np.zeros(CUT)
    best = sorted(grades.values(), reverse=True)[:CUT]
    ideal[: len(best)] = best
    return Labelled(_pairs(asked, *hits, metric), own, gains, ideal, len(grades))


def _pairs(asked: Asked, expected: Documents, found: Documents, metric: Metric) -> NDArray[np.float32]:
    """Scores of both models for the documents that either found, the teacher's hits first: float32 [n, 2]."""
    known = set(expected.ids)
    further = found.chosen([row for row, name in enumerate(found.ids) if name not in known])
    vectors = np.concatenate([expected.vectors, further.vectors]) if further.ids else expected.vectors
    pairs: NDArray[np.float32] = np.stack(
        [scores(asked.teacher, vectors, metric), scores(asked.student, vectors, metric)], axis=1
    )
    return pairs
