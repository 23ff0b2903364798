"""`isoglot evaluate`: held-out scores of a student, in every language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, handled


def evaluate(
    student: Annotated[Path, typer.Argument(help="A student folder.")],
    corpus: Annotated[Path, typer.Option("--corpus", help="Corpus folder whose test split is used.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where scores.json and report.html go.")] = None,
    teacher: Annotated[
        str | None, typer.Option("--teacher", help="The teacher, when it is not where it was.")
    ] = None,
    pool: Annotated[
        int | None, typer.Option("--pool", help="English texts that every query is searched in.")
    ] = None,
    queries: Annotated[
        int | None, typer.Option("--queries", help="At most so many sentences per language.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a student on held-out sentences; write the report."""
    with handled(as_json) as console:
        from isoglot.config import EvaluateConfig
        from isoglot.pipeline.alone import evaluate_student

        chosen = {"pool": pool, "queries": queries}
        config = EvaluateConfig(**{key: value for key, value in chosen.items() if value is not None})
        target = out or student.with_name(f"{student.name}-evaluation")
        scores = evaluate_student(student, corpus, target, config, teacher, console)
        console.finish(dict(scores), f"{scores['summary']}\nreport   {target / 'report.html'}")
