"""From what the check of an index wrote to the records of the page; the one place that knows both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isoglot.evaluate.report.measured import CalibrationPoint, Compat, CompatRow, Level

OWN_TEXTS = "the index’s own texts"
_LEVELS: Mapping[str, Level] = {
    "works": "good",
    "usable with a new threshold": "fair",
    "does not work": "poor",
}


def compat_of(found: Mapping[str, Any] | None) -> Compat | None:
    """The records of a check of an index.

    Args:
        found: `CompatResult.as_dict()`, as it also stands in JSON under "compat"; None: no index was asked.
    """
    if found is None:
        return None
    own, index = found["own_texts"], found["index"]
    rows = tuple(_row(one) for one in found["languages"])
    calibrations = [one["calibration"] for one in found["languages"]] + ([own] if own else [])
    return Compat(
        index=f"{index['name']} ({index['kind']})",
        metric=index["metric"],
        documents=index["documents"],
        protocol=found["protocol"],
        builder_cosine=found["proof"]["median"],
        threshold=calibrations[0]["threshold"] if calibrations else None,
        rows=rows if own is None else (*rows, _own_texts(own, found["own_overlap"])),
        note=found["note"],
    )


def _row(one: Mapping[str, Any]) -> CompatRow:
    student, teacher, calibration = one["student"], one["teacher"], one["calibration"]
    cuts = (1, 5, 10) if student else ()
    return CompatRow(
        language=one["language"],
        queries=one["queries"],
        level=_LEVELS[one["verdict"]],
        verdict=one["verdict"],
        recall={cut: student[f"recall_{cut}"] for cut in cuts},
        mrr=student["mrr_10"] if student else None,
        ndcg=student["ndcg_10"] if student else None,
        reference=teacher["ndcg_10"] if teacher else None,
        overlap=one["overlap"],
        threshold_kept=calibration["agreement"]["kept"],
        threshold_added=calibration["agreement"]["added"],
        curve=_curve(calibration),
    )


def _own_texts(calibration: Mapping[str, Any], overlap: float | None) -> CompatRow:
    """The index's own texts as queries: no verdict follows, but they show whether the threshold holds."""
    return CompatRow(
        language=OWN_TEXTS,
        queries=0,
        level="unknown",
        verdict="no verdict without queries",
        overlap=overlap,
        threshold_kept=calibration["agreement"]["kept"],
        threshold_added=calibration["agreement"]["added"],
        curve=_curve(calibration),
    )


def _curve(calibration: Mapping[str, Any]) -> tuple[CalibrationPoint, ...]:
    return tuple(CalibrationPoint(**point) for point in calibration["agreement"]["points"])
