"""The report of a run as one HTML file: what the templates show of a `Report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isoglot.disk import write_atomic
from isoglot.evaluate.report import charts, data, grid, plots
from isoglot.evaluate.report.data import Distillation, Example, Report
from isoglot.evaluate.report.space import space_view
from isoglot.page import document
from isoglot.page.bars import count_bars


def render(report: Report) -> str:
    """Return the whole page as HTML; parts of the report that are empty or None are absent."""
    return document.render(
        "isoglot.evaluate.report",
        {"report": report, **_figures(report)},
        kind=_kind(report),
        title=report.title,
        scripts=["map.js", "filter.js", "copy.js"],
        styles=["page.css", "results.css"],
    )


def write(report: Report, path: Path) -> None:
    """Write the page to `path`, whole or not at all."""
    write_atomic(path, render(report))


def right_place(example: Example) -> int | None:
    """Place of the right answer, 1 = first: among the hits, else the known rank, else None."""
    places = [place for place, hit in enumerate(example.hits, start=1) if hit.text == example.english]
    return places[0] if places else example.rank


def failures(report: Report) -> tuple[tuple[str, tuple[Example, ...]], ...]:
    """The worst queries by language, the language with the worst of all first."""
    groups: dict[str, list[Example]] = {}
    for example in sorted(report.worst, key=lambda one: -(right_place(one) or 0)):
        groups.setdefault(example.language, []).append(example)
    return tuple((data.language_name(report, tag), tuple(found)) for tag, found in groups.items())


def _kind(report: Report) -> str:
    """What kind of page this is, as it stands above the title."""
    if report.comparison is not None:
        return "comparison report"
    if report.distillation is not None:
        return "distillation report"
    return "compatibility report" if report.compat is not None and not report.results else "evaluation report"


def _figures(report: Report) -> Mapping[str, object]:
    """What the template shows beyond the report's own fields."""
    return {
        "run": None if report.distillation is None else _run_figures(report.distillation),
        "panels": _panels(report),
        "grid": grid.grid(report),
        "bounds": grid.SHADES,
        "pooled": grid.pooled(report.results),
        "interval_bars": plots.interval_bars,
        "differences": plots.differences(report.comparison),
        "verdicts": plots.verdicts(report.compat) if report.compat else (),
        "calibration": plots.calibration(report.compat) if report.compat else None,
        "space": space_view(report),
        "clusters": charts.clusters(report.map),
        "failures": failures(report),
        "dropped": count_bars(report.corpus.dropped) if report.corpus else (),
        "kept": charts.kept_bars(report),
        "signatures": tuple(dict.fromkeys([*report.signatures, *(one.signature for one in report.results)])),
        "name_of": data.language_name,
        "right_place": right_place,
    }


def _panels(report: Report) -> tuple[charts.LinePanel, ...]:
    """The learning curve of a student that had no teacher."""
    trained = report.training
    return () if trained is None else charts.line_panels(trained.curve, trained.shipped_step)


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
