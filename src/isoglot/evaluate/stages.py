"""The student on held-out sentences at one stage of a run: before, after the warm start, after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.encoder import Embedder, Encoder
from isoglot.evaluate.closeness import (
    effective_rank,
    mean_cosine,
    mean_squared_error,
    pair_spearman,
    r_squared,
)
from isoglot.evaluate.heldout import HeldOut, random_pairs
from isoglot.evaluate.report.data import StageScores
from isoglot.evaluate.retrieval import top1_accuracy
from isoglot.progress import SILENT, Progress
from isoglot.train.validation import DevScore

_PAIRS = 20_000


@dataclass(frozen=True)
class Vectors:
    """What one stage of the student makes of the held-out texts: queries float [q, d], pool float [p, d]."""

    queries: NDArray[np.float32]
    pool: NDArray[np.float32]


def encode(student: Encoder, held_out: HeldOut, progress: Progress = SILENT) -> Vectors:
    """Encode queries and pool in one pass."""
    vectors = student.encode(held_out.queries + held_out.pool, progress, "test sentences")
    return Vectors(vectors[: len(held_out.queries)], vectors[len(held_out.queries) :])


def score_languages(
    vectors: Vectors,
    teacher: NDArray[np.float32],
    held_out: HeldOut,
    documents: NDArray[np.float32] | None = None,
) -> dict[str, StageScores]:
    """Score every language.

    Args:
        vectors: the student's.
        teacher: float [p, e], the teacher's vectors of the pool: where each query should land.
        held_out: the texts.
        documents: float [p, e], its vectors of the pool as documents of an index, which are searched; None: the same.

    Returns:
        language -> scores; those against the teacher are None when the dimensions differ, and a single sentence has
        no variance, so no `r2`.
    """
    scores = {}
    for number, language in enumerate(held_out.languages):
        rows = held_out.rows_of(number)
        scores[language] = score(vectors.queries[rows], held_out.gold[rows], vectors.pool, teacher, documents)
    return scores


def score(
    queries: NDArray[np.float32],
    gold: NDArray[np.int64],
    student_pool: NDArray[np.float32],
    teacher_pool: NDArray[np.float32],
    documents: NDArray[np.float32] | None = None,
) -> StageScores:
    """Score the queries of one language; arrays as in `score_languages`."""
    to_student = top1_accuracy(queries, student_pool, gold)
    if queries.shape[1] != teacher_pool.shape[1]:
        return StageScores(None, None, to_student, None)
    own = teacher_pool[gold]
    return StageScores(
        mse=mean_squared_error(queries, own),
        r2=r_squared(queries, own) if len(queries) > 1 else None,
        to_student=to_student,
        to_teacher=top1_accuracy(queries, teacher_pool if documents is None else documents, gold),
    )


def dev_score(
    student: Embedder,
    teacher: NDArray[np.float32],
    held_out: HeldOut,
    seed: int,
    documents: NDArray[np.float32] | None = None,
) -> DevScore:
    """Look at the dev split: retrieval against the teacher's pool, Spearman of pair cosines, R2, health.

    Args:
        student: the encoder as it is now.
        teacher: float [p, d], the teacher's vectors of the pool.
        held_out: dev texts.
        seed: of the sentence pairs.
        documents: float [p, d], the pool as documents of the teacher's index; None: the same vectors.
    """
    # a student that has left the numbers has collapsed, and zeros have the lowest rank
    queries = np.nan_to_num(student.encode(held_out.queries), posinf=0.0, neginf=0.0)
    own, searched = teacher[held_out.gold], teacher if documents is None else documents
    retrieval, correlation, explained = {}, [], []
    for number, language in enumerate(held_out.languages):
        rows = held_out.rows_of(number)
        retrieval[language] = top1_accuracy(queries[rows], searched, held_out.gold[rows])
        if len(rows) < 2:  # a single sentence has neither pairs nor a variance
            continue
        pairs = random_pairs(len(rows), _PAIRS // len(held_out.languages), seed)
        correlation.append(pair_spearman(queries[rows], own[rows], pairs))
        explained.append(r_squared(queries[rows], own[rows]))
    worst = min(retrieval, key=lambda language: retrieval[language])
    return DevScore(
        retrieval=float(np.mean(list(retrieval.values()))),
        spearman=float(np.mean(correlation)) if correlation else None,
        r2=float(np.mean(explained)) if explained else None,
        worst_language=worst,
        worst_retrieval=retrieval[worst],
        effective_rank=effective_rank(queries),
        mean_cosine=mean_cosine(queries),
        languages=retrieval,
    )


def prefix_retrieval(
    student: Embedder, teacher: NDArray[np.float32], held_out: HeldOut, widths: Sequence[int]
) -> dict[str, float]:
    """Top-1 accuracy of cut student vectors against equally cut teacher vectors, macro average over languages.

    Args:
        student: the encoder.
        teacher: float [p, d], the teacher's vectors of the pool.
        held_out: the texts.
        widths: how many of the first dimensions stay, each 1..d.

    Returns:
        width, as text -> accuracy 0..1.
    """
    queries = student.encode(held_out.queries) if widths else np.zeros((0, 0), np.float32)
    by_language = [held_out.rows_of(number) for number in range(len(held_out.languages))]
    return {
        str(width): float(
            np.mean(
                [
                    top1_accuracy(queries[rows, :width], teacher[:, :width], held_out.gold[rows])
                    for rows in by_language
                ]
            )
        )
        for width in widths
    }
