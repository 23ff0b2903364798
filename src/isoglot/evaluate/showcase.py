"""What people look at rather than read: a map of sentences with their translations, and live examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report.data import Example, Hit, MapPoint
from isoglot.evaluate.retrieval import gold_ranks, normalised
from isoglot.mine.knn import nearest


def sentence_map(
    queries: NDArray[np.float32],
    teacher: NDArray[np.float32],
    held_out: HeldOut,
    source_language: str,
    sentences: int,
) -> tuple[MapPoint, ...]:
    """Lay out sentences and their translations in two dimensions.

    The plane is the one in which the teacher's vectors of these sentences vary most (PCA); translations are projected
    onto it, so a point is where the student puts the sentence in the teacher's space.

    Args:
        queries: float [q, d], the student's vectors of the held-out queries.
        teacher: float [p, d], the teacher's vectors of the pool.
        held_out: the texts.
        source_language: tag of the pool's language.
        sentences: how many; those with translations in most languages, then the longest.
    """
    counts = np.bincount(held_out.gold, minlength=len(held_out.pool))
    words = np.array([min(len(text), 80) for text in held_out.pool])
    chosen = np.lexsort((-words, -counts))[:sentences]
    chosen = chosen[counts[chosen] > 0]
    anchors = normalised(teacher[chosen])
    centre = anchors.mean(axis=0)
    _, _, axes = np.linalg.svd(anchors - centre, full_matrices=False)
    points = []
    for group, number in enumerate(chosen):
        text = held_out.pool[number]
        points.append(
            _point(group, source_language, text, (anchors[group] - centre) @ axes[:2].T, is_teacher=True)
        )
        for row in np.flatnonzero(held_out.gold == number):
            language = held_out.languages[held_out.language[row]]
            place = (normalised(queries[row : row + 1])[0] - centre) @ axes[:2].T
            points.append(_point(group, language, held_out.queries[row], place, is_teacher=False))
    return tuple(points)


def examples(
    queries: NDArray[np.float32], teacher: NDArray[np.float32], held_out: HeldOut, count: int
) -> tuple[Example, ...]:
    """Show queries with their three nearest texts in the teacher's index, languages in turn.

    They are chosen by position alone, never by whether the search succeeded.
    """
    return _shown(_one_per_language(held_out, count), queries, teacher, held_out)


def worst_examples(
    queries: NDArray[np.float32], teacher: NDArray[np.float32], held_out: HeldOut, per_language: int
) -> tuple[Example, ...]:
    """Show the queries of every language whose right answer ranks lowest, lowest first; one that was found is none."""
    ranks = gold_ranks(queries, teacher, held_out.gold)
    chosen: list[int] = []
    for number in range(len(held_out.languages)):
        rows = held_out.rows_of(number)
        lowest = rows[np.argsort(-ranks[rows], kind="stable")][:per_language]
        chosen += [row for row in lowest.tolist() if ranks[row] > 1]
    return _shown(np.array(chosen, np.int64), queries, teacher, held_out)


def _shown(
    rows: NDArray[np.int64], queries: NDArray[np.float32], teacher: NDArray[np.float32], held_out: HeldOut
) -> tuple[Example, ...]:
    if not len(rows):
        return ()
    cosines, hits = nearest(queries[rows], teacher, min(3, len(held_out.pool)))
    ranks = gold_ranks(queries[rows], teacher, held_out.gold[rows])
    return tuple(
        Example(
            language=held_out.languages[held_out.language[row]],
            query=held_out.queries[row],
            english=held_out.pool[held_out.gold[row]],
            hits=tuple(
                Hit(held_out.pool[hit], float(cosine))
                for cosine, hit in zip(cosines[place], hits[place], strict=True)
            ),
            rank=int(ranks[place]),
        )
        for place, row in enumerate(rows)
    )


def _one_per_language(held_out: HeldOut, count: int) -> NDArray[np.int64]:
    """The k-th sentence of at least four words' length in the k-th language, round and round."""
    long_enough = np.array([len(held_out.pool[gold]) >= 24 for gold in held_out.gold])
    per_language = []
    for number in range(len(held_out.languages)):
        rows = held_out.rows_of(number)
        per_language.append([*rows[long_enough[rows]], *rows[~long_enough[rows]]])
    chosen: list[int] = []
    for place in range(count):
        candidates = per_language[place % len(per_language)]
        fresh = [row for row in candidates if row not in chosen]
        chosen += [fresh[min(place, len(fresh) - 1)]] if fresh else []
    return np.array(chosen, np.int64)


def _point(group: int, language: str, text: str, place: NDArray[np.float32], *, is_teacher: bool) -> MapPoint:
    return MapPoint(group, language, text, float(place[0]), float(place[1]), is_teacher)
