"""The report of a run as one HTML file: what the templates show of a `Report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isoglot.disk import write_atomic
from isoglot.evaluate.report import charts, data
from isoglot.evaluate.report.data import Distillation, Example, Report
from isoglot.page import document
from isoglot.page.bars import count_bars


def render(report: Report) -> str:
    """Return the whole page as HTML."""
    return document.render(
        "isoglot.evaluate.report",
        {"report": report, **_figures(report)},
        kind="distillation report",
        title=report.title,
        scripts=["map.js"],
    )


def write(report: Report, path: Path) -> None:
    """Write the page to `path`, whole or not at all."""
    write_atomic(path, render(report))


def right_place(example: Example) -> int | None:
    """Place of the right answer, 1 = first: among the hits, else the known rank, else None."""
    places = [place for place, hit in enumerate(example.hits, start=1) if hit.text == example.english]
    return places[0] if places else example.rank


def _figures(report: Report) -> Mapping[str, object]:
    """What the template shows beyond the report's own fields."""
    return {
        "run": None if report.distillation is None else _run_figures(report.distillation),
        "clusters": charts.clusters(report.map),
        "dropped": count_bars(report.corpus.dropped) if report.corpus else (),
        "kept": charts.kept_bars(report),
        "name_of": data.language_name,
        "right_place": right_place,
    }


def _run_figures(run: Distillation) -> Mapping[str, object]:
    """What follows from the scores of a distillation run."""
    stages = data.measured_stages(run)
    rows = data.ranked(run)
    return {
        "stages": stages,
        "rows": rows,
        "means": {stage: data.mean_scores(run, stage) for stage in stages},
        "worst": data.worst(run),
        "bars": [(row, charts.stage_bars(row, stages)) for row in rows],
        "panels": charts.line_panels(run.curve, run.shipped_step),
    }
