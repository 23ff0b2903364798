"""From the answers of one language to its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.compat.answers import Labelled, Unlabelled
from isoglot.evaluate.compat.calibration import BINS, Judged, best_threshold, bin_edges, curve, passing, rates
from isoglot.evaluate.compat.ranking import ndcg, recall, reciprocal_rank
from isoglot.evaluate.compat.result import Agreement, Bin, Calibration, Point, Ranking
from isoglot.evaluate.indexes.metric import Metric, shown

TEACHER, STUDENT = 0, 1  # rows and columns of the two models
_SAMPLES = 1000
_BOUNDS = (2.5, 97.5)  # percentiles of a 95 % interval


def ranking(answers: Sequence[Labelled], model: int) -> Ranking:
    """Average one model's rankings over queries.

    Args:
        answers: at least one.
        model: `TEACHER` or `STUDENT`.
    """
    gains = np.stack([answer.gains[model] for answer in answers])
    relevant = np.array([answer.relevant for answer in answers])
    return Ranking(
        recall_1=float(recall(gains, relevant, 1).mean()),
        recall_5=float(recall(gains, relevant, 5).mean()),
        recall_10=float(recall(gains, relevant, 10).mean()),
        mrr_10=float(reciprocal_rank(gains).mean()),
        ndcg_10=float(ndcg_of(answers, model).mean()),
    )


def ndcg_of(answers: Sequence[Labelled], model: int) -> NDArray[np.float64]:
    """nDCG@10 of every query, float64 [q]."""
    gains = np.stack([answer.gains[model] for answer in answers])
    return ndcg(gains, np.stack([answer.ideal for answer in answers]))


def share(
    parts: NDArray[np.float64], wholes: NDArray[np.float64]
) -> tuple[float, tuple[float, float] | None]:
    """Total of `parts` over the total of `wholes`, with a 95 % percentile bootstrap interval over the queries.

    Args:
        parts: float64 [q], what the student has.
        wholes: float64 [q], what the teacher has.

    Returns:
        The share, 0 where the teacher has nothing; and the interval, None for a single query.
    """
    value = float(parts.sum() / wholes.sum()) if wholes.sum() else 0.0
    if len(parts) < 2:
        return value, None
    draw = np.random.default_rng(0)
    drawn = []
    for _ in range(_SAMPLES):
        rows = draw.integers(0, len(parts), len(parts))
        whole = wholes[rows].sum()
        drawn.append(parts[rows].sum() / whole if whole else 0.0)
    low, high = np.percentile(drawn, _BOUNDS)
    return value, (float(low), float(high))


def teachers_threshold(answers: Sequence[Labelled]) -> float:
    """Threshold at which F1 of the teacher's hits is best."""
    return best_threshold(*_judged(answers, TEACHER))


def usual_threshold(answers: Sequence[Unlabelled]) -> float:
    """Median score of the teacher's hits: a threshold that half of them pass, where nobody names one."""
    return float(np.median(np.concatenate([answer.pairs[: answer.first, TEACHER] for answer in answers])))


def calibrate_labelled(answers: Sequence[Labelled], threshold: float, metric: Metric) -> Calibration:
    """Compare what passes the threshold with what is relevant, among each model's own hits.

    Args:
        answers: of one language, at least one.
        threshold: on scores of which more is nearer.
        metric: the index's own, in which everything is given back.
    """
    pairs = np.concatenate([answer.pairs for answer in answers])
    return _calibrated(_judged(answers, TEACHER), _judged(answers, STUDENT), pairs, threshold, metric)


def calibrate_unlabelled(answers: Sequence[Unlabelled], threshold: float, metric: Metric) -> Calibration:
    """Compare what passes the threshold with what passes it today, with the teacher and the English query.

    Args:
        answers: of one language, at least one.
        threshold: on scores of which more is nearer.
        metric: the index's own, in which everything is given back.
    """
    pairs = np.concatenate([answer.pairs for answer in answers])
    right = passing(pairs[:, TEACHER], threshold)
    expected, found = (Judged(pairs[:, model], right, int(right.sum())) for model in (TEACHER, STUDENT))
    return _calibrated(expected, found, pairs, threshold, metric)


def _judged(answers: Sequence[Labelled], model: int) -> Judged:
    """One model's hits of all queries, which of them are relevant, and how many relevant documents there are."""
    own = np.stack([answer.scores[model] for answer in answers])
    right = np.stack([answer.gains[model] for answer in answers]) > 0
    there = ~np.isnan(own)
    return Judged(own[there], right[there], sum(answer.relevant for answer in answers))


def _calibrated(
    expected: Judged, found: Judged, pairs: NDArray[np.float32], threshold: float, metric: Metric
) -> Calibration:
    own = best_threshold(*found)
    edges = bin_edges(np.concatenate([expected.scores, found.scores]))
    student, teacher = (curve(one.scores, one.right, edges) for one in (found, expected))
    return Calibration(
        threshold=shown(threshold, metric),
        teacher=rates(*expected, threshold),
        student=rates(*found, threshold),
        own_threshold=shown(own, metric),
        own=rates(*found, own),
        curve=_bins_shown(student, metric),
        teacher_curve=_bins_shown(teacher, metric),
        agreement=_agreement(pairs, threshold, metric),
    )


def _agreement(pairs: NDArray[np.float32], threshold: float, metric: Metric) -> Agreement:
    teacher, student = pairs[:, TEACHER], pairs[:, STUDENT]
    passed, still = passing(teacher, threshold), passing(student, threshold)
    order = np.argsort(teacher, kind="stable")
    groups = [rows for rows in np.array_split(order, BINS) if len(rows)]
    points = [
        Point(
            shown(float(teacher[rows].mean()), metric), shown(float(student[rows].mean()), metric), len(rows)
        )
        for rows in groups
    ]
    return Agreement(
        shift=shown(float((student - teacher).mean()), metric),
        kept=float(still[passed].mean()) if passed.any() else None,
        added=float(still[~passed].mean()) if not passed.all() else None,
        points=tuple(sorted(points, key=lambda point: point.teacher)),
    )


def _bins_shown(bins: tuple[Bin, ...], metric: Metric) -> tuple[Bin, ...]:
    """Turn bins of negated distances into bins of distances, ascending."""
    if metric != "l2":
        return bins
    return tuple(Bin(-one.high, -one.low, one.pairs, one.share) for one in reversed(bins))
