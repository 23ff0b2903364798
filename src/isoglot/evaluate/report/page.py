"""The report of a run as one HTML file: opens from disk, asks nothing of any server, readable without script.

Every text on it may come from a corpus, that is from strangers. Three fences hold: each printed value is
cleaned (`text.clean`) and then escaped by the template engine; the script reads no text but copies nodes; and
the page's content security policy allows that one script, by its hash, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from isoglot.disk import write_atomic
from isoglot.evaluate.report import charts, data, text
from isoglot.evaluate.report.data import Example, RunReport


def render(report: RunReport) -> str:
    """Return the whole page as HTML."""
    template = _environment().get_template("page.html")
    script = _packaged("page.js")
    return template.render(
        report=report,
        style=Markup(_packaged("page.css")),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        policy=content_security_policy(script),
        **_figures(report),
    )


def write(report: RunReport, path: Path) -> None:
    """Write the page to `path`, whole or not at all."""
    write_atomic(path, render(report))


def content_security_policy(script: str) -> str:
    """Allow inline styles, data images and exactly this script; nothing else, and nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def right_place(example: Example) -> int | None:
    """Place of the right answer, 1 = first: among the hits, else the known rank, else None."""
    places = [place for place, hit in enumerate(example.hits, start=1) if hit.text == example.english]
    return places[0] if places else example.rank


def _figures(report: RunReport) -> Mapping[str, object]:
    """What the template shows beyond the report's own fields."""
    stages = data.measured_stages(report)
    rows = data.ranked(report)
    return {
        "stages": stages,
        "rows": rows,
        "means": {stage: data.mean_scores(report, stage) for stage in stages},
        "worst": data.worst(report),
        "bars": [(row, charts.stage_bars(row, stages)) for row in rows],
        "panels": charts.line_panels(report.curve, report.shipped_step),
        "clusters": charts.clusters(report.map),
        "right": [right_place(example) for example in report.examples],
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("isoglot.evaluate.report"),
        autoescape=True,
        finalize=text.clean,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": text.percent,
        "score": text.score,
        "thousandths": text.thousandths,
        "significant": text.significant,
        "count": text.count,
        "duration": text.duration,
        "language_tag": text.language_tag,
    }
    environment.globals |= {"name_of": data.language_name, "count_bars": charts.count_bars}
    return environment


def _packaged(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
