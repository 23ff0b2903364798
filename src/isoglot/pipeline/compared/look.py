"""The dev split without a teacher: does a sentence find its original among the student's own vectors?"""

from __future__ import annotations

import numpy as np

from isoglot.encode.encoder import Embedder
from isoglot.evaluate.closeness import effective_rank, mean_cosine
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.retrieval import top1_accuracy
from isoglot.train.validation import DevScore


def own_dev_score(student: Embedder, held_out: HeldOut) -> DevScore:
    """Look at the dev split: retrieval student(x) -> student(source), and the health of the space.

    There is no teacher whose similarities or vectors could be compared, so Spearman and R2 are None.
    """
    vectors = student.encode([*held_out.queries, *held_out.pool])
    queries, pool = vectors[: len(held_out.queries)], vectors[len(held_out.queries) :]
    retrieval = {}
    for number, language in enumerate(held_out.languages):
        rows = held_out.rows_of(number)
        retrieval[language] = top1_accuracy(queries[rows], pool, held_out.gold[rows])
    worst = min(retrieval, key=lambda language: retrieval[language])
    return DevScore(
        retrieval=float(np.mean(list(retrieval.values()))),
        spearman=None,
        r2=None,
        worst_language=worst,
        worst_retrieval=retrieval[worst],
        effective_rank=effective_rank(queries),
        mean_cosine=mean_cosine(queries),
        languages=retrieval,
    )
