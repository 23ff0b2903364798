"""A result as the report's records: a traffic light per language, and the dots of the calibration plots."""

from __future__ import annotations

from isoglot.evaluate.compat.result import Calibration, CompatResult, LanguageCompat, Verdict
from isoglot.evaluate.report.measured import CalibrationPoint, Compat, CompatRow, Level

OWN_TEXTS = "the index's own texts"
_LEVELS: dict[Verdict, Level] = {
    "works": "good",
    "usable with a new threshold": "fair",
    "does not work": "poor",
}


def as_report(result: CompatResult) -> Compat:
    """Give the report's records of a result; the index's own texts are its one row where there were no queries."""
    facts = result.index
    rows = tuple(_row(one, plotted=facts.metric != "l2") for one in result.languages)
    own = result.own_texts
    if not rows and own is not None:
        rows = (_own(result, own),)
    calibrations = [one.calibration for one in result.languages] or ([] if own is None else [own])
    return Compat(
        index=f"{facts.kind} {facts.name}",
        metric=facts.metric,
        documents=facts.documents,
        protocol=result.protocol,
        builder_cosine=result.proof.median,
        threshold=calibrations[0].threshold if calibrations else None,
        rows=rows,
        note=result.note,
    )


def _row(one: LanguageCompat, *, plotted: bool) -> CompatRow:
    student, teacher = one.student, one.teacher
    return CompatRow(
        language=one.language,
        queries=one.queries,
        level=_LEVELS[one.verdict],
        verdict=one.verdict,
        recall={} if student is None else {1: student.recall_1, 5: student.recall_5, 10: student.recall_10},
        mrr=None if student is None else student.mrr_10,
        ndcg=None if student is None else student.ndcg_10,
        reference=None if teacher is None else teacher.ndcg_10,
        overlap=one.overlap,
        threshold_kept=one.calibration.agreement.kept,
        threshold_added=one.calibration.agreement.added,
        curve=_points(one.calibration) if plotted else (),  # the plots have cosines on their axes
    )


def _own(result: CompatResult, own: Calibration) -> CompatRow:
    return CompatRow(
        language=OWN_TEXTS,
        queries=result.proof.sampled,
        level="unknown",
        verdict="calibration only",
        overlap=result.own_overlap,
        threshold_kept=own.agreement.kept,
        threshold_added=own.agreement.added,
        curve=_points(own) if result.index.metric != "l2" else (),
    )


def _points(one: Calibration) -> tuple[CalibrationPoint, ...]:
    return tuple(
        CalibrationPoint(point.teacher, point.student, point.pairs) for point in one.agreement.points
    )
