"""Scores of a student without a teacher: held-out sentences among its own vectors, and the test sets of its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from isoglot.artefact import digest_json, read_manifest
from isoglot.compared_config import ComparedRecipe
from isoglot.pipeline.alone import finished, job_of
from isoglot.pipeline.assess import Held
from isoglot.pipeline.compared.material import Parallel
from isoglot.pipeline.evaluate import TeacherSource, evaluate_job
from isoglot.pipeline.evaluate_models import Subject
from isoglot.pipeline.evaluate_report import About
from isoglot.pipeline.evaluate_suite import COMPAT, HEALTH, HELD_OUT, NAMES, Suite, benchmarks_in
from isoglot.pipeline.layout import RunFolder
from isoglot.progress import Progress


def evaluate_compared(
    run: RunFolder, recipe: ComparedRecipe, parallel: Parallel | None, progress: Progress
) -> Mapping[str, Any] | None:
    """Measure the student of a run; the files go into the run folder, whose lock the caller holds.

    Args:
        run: the run folder.
        recipe: the run's.
        parallel: whose held-out sentences are searched: student(x) -> student(source), in distillation's pool.
        progress: where to report.

    Returns:
        The content of scores.json, only read when it answers this request; None where there is nothing to measure.
    """
    held = None if parallel is None else Held(parallel.corpus, parallel.test)
    languages = () if held is None else (*held.corpus.languages, held.source_language)
    benchmarks = benchmarks_in([Path(path) for path in recipe.evaluate.benchmarks], languages, strict=False)
    if held is None and not benchmarks:
        return None
    request = digest_json([
        version("isoglot"), read_manifest(run.student).digest, None if held is None else held.test.digest,
        [one.digest for one in benchmarks],
    ])  # fmt: skip
    known = finished(run.root, request)
    if known is not None:
        return known
    subject = Subject.of(str(run.student))
    source = TeacherSource(why_not="the student was trained without a teacher")
    names = tuple(task for task in NAMES if task != COMPAT) if benchmarks else (HELD_OUT, HEALTH)
    job = job_of(Suite(names), About(subject, recipe.name, "", held), benchmarks, source, request)
    return evaluate_job(job, run.root, progress)
