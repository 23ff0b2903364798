"""The evaluation: every text of every task encoded once, all tasks scored, and the files that say how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import write_json
from isoglot.errors import RequestError
from isoglot.evaluate.report import page
from isoglot.evaluate.results import ITEMS, SCORES, results_of, write_items
from isoglot.evaluate.score import Score
from isoglot.evaluate.task import Space, Task
from isoglot.pipeline.evaluate_models import encoded, lacking, space_of
from isoglot.pipeline.evaluate_report import About, Measured, report_of, scores_of
from isoglot.pipeline.evaluate_suite import Skipped
from isoglot.pipeline.health import Parallel, measure_health
from isoglot.pipeline.layout import REPORT
from isoglot.progress import Progress
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.store import Store

VECTORS = "vectors"
AGAINST_TEACHER = "scores against the teacher"


@dataclass(frozen=True)
class TeacherSource:
    """Where the teacher's vectors come from.

    Attributes:
        open: loads it, when vectors are needed that `known` lacks; None: there is no teacher.
        known: vectors that were made before.
        why_not: why there is no teacher.
    """

    open: Callable[[], Teacher] | None = None
    known: Store | None = None
    why_not: str = "no teacher is known; name it with --teacher"


@dataclass(frozen=True)
class Job:
    """What is to be measured, before any vector is made.

    Attributes:
        about: the model, and what it is called.
        request: digest of everything that the result depends on; empty when that cannot be known.
        tasks: what to measure.
        skipped: what cannot be measured.
        teacher: whose space the model should be in.
        health: sentences that the health of the space is measured on; None: it is not.
    """

    about: About
    request: str
    tasks: Sequence[Task]
    skipped: Sequence[Skipped] = ()
    teacher: TeacherSource = field(default_factory=TeacherSource)
    health: Parallel | None = None


@dataclass(frozen=True)
class Known:
    """An encoder that has seen all texts.

    Attributes:
        space: its vectors.
        dimension: their width.
        encoder: itself; None when all vectors were there already.
        lacks: texts that it has no vector for.
    """

    space: Space
    dimension: int
    encoder: Teacher | None
    lacks: frozenset[str] = frozenset()

    def knows(self, texts: Sequence[str]) -> bool:
        """Whether it has a vector for each of some texts."""
        return self.lacks.isdisjoint(texts)


def evaluate_job(job: Job, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Measure a model and write `items.safetensors`, `report.html` and `scores.json` into `out`.

    Vectors go into stores below `out`, so an interrupted evaluation goes on where it was.

    Returns:
        The content of scores.json, which is written last.

    Raises:
        RequestError: nothing can be measured, or the model's space is not the teacher's.
        DamagedError: a test set is damaged.
        IsoglotError: an encoder failed, or the disk is full.
    """
    if not job.tasks and job.health is None:
        reasons = "; ".join(f"{one.task}: {one.reason}" for one in job.skipped)
        raise RequestError(f"Nothing can be measured. {reasons}.", "Give test sets with --data DIR.")
    teacher, skipped = _teacher_of(job, out / VECTORS, progress)
    model = _model_of(job, teacher, out / VECTORS, progress)
    scores, left_out = _measure(job.tasks, model.space, teacher, progress)
    results = [
        result
        for task, found in scores.items()
        for result in results_of(task, found, job.about.subject.contaminated)
    ]
    measured = Measured(
        results,
        (*job.skipped, *skipped, *left_out),
        model.space,
        None if teacher is None else teacher.space,
        _health(job.health, model, teacher),
    )
    items = [score.items for found in scores.values() for score in found]
    named = {result.key: one for result, one in zip(results, items, strict=True)}
    return _write(job, measured, named, out)


def _write(
    job: Job, measured: Measured, items: Mapping[str, NDArray[np.float32]], out: Path
) -> Mapping[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    digest = write_items(out / ITEMS, items)
    report = report_of(job.about, measured)
    page.write(report, out / REPORT)
    scores = {**scores_of(job.about, measured, report), "items": digest, "request": job.request}
    write_json(out / SCORES, scores)
    return scores


def _teacher_of(job: Job, folder: Path, progress: Progress) -> tuple[Known | None, list[Skipped]]:
    """Embed what tasks ask of the teacher; first, because a wrong teacher must be found before the long part."""
    source = job.teacher
    texts = lacking(chain(_originals(job.health), *(task.teacher_texts() for task in job.tasks)), ())
    if not texts:
        return None, []
    if source.open is None:
        return None, [Skipped(AGAINST_TEACHER, source.why_not)]
    stores = [] if source.known is None else [source.known]
    left = lacking(texts, stores)
    if not left:
        return Known(space_of(stores), stores[0].dimension, None), []
    teacher = source.open()
    missing = teacher.missing(left)
    there = [text for text, gone in zip(left, missing, strict=True) if not gone]
    stores.append(encoded(there, teacher, folder, progress, job.about.teacher))
    lacks = frozenset(text for text, gone in zip(left, missing, strict=True) if gone)
    return Known(space_of(stores), stores[0].dimension, teacher, lacks), []


def _model_of(job: Job, teacher: Known | None, folder: Path, progress: Progress) -> Known:
    subject = job.about.subject
    encoder = subject.open()
    if teacher is not None and encoder.dimension != teacher.dimension:
        raise RequestError(
            f"{subject.model} gives vectors of {encoder.dimension} numbers, {job.about.teacher} of"
            f" {teacher.dimension}.",
            "Give the teacher that the model was distilled from, or leave --teacher out.",
        )
    pairs = [] if job.health is None else job.health.pairs.values()
    sentences = (text for found in pairs for pair in found for text in pair)
    texts = lacking(chain(sentences, *(task.texts() for task in job.tasks)), ())
    store = encoded(texts, encoder, folder, progress, subject.model)
    return Known(space_of([store]), store.dimension, encoder)


def _measure(
    tasks: Sequence[Task], model: Space, teacher: Known | None, progress: Progress
) -> tuple[dict[str, list[Score]], list[Skipped]]:
    """Score all tasks, by kind; one whose sentences the teacher does not know goes without it."""
    scores: dict[str, list[Score]] = {}
    left_out: dict[Skipped, None] = {}
    with progress.task("scores", len(tasks), "tasks") as task:
        for one in tasks:
            known = teacher is not None and teacher.knows(list(one.teacher_texts()))
            if teacher is not None and not known:
                reason = "the teacher has no vector for some of its texts"
                left_out[Skipped(f"{one.name} {one.test_set} against the teacher", reason)] = None
            owner = teacher.space if teacher is not None and known else None
            scores.setdefault(one.name, []).extend(one.measure(model, owner))
            task.advance()
    return scores, list(left_out)


def _health(texts: Parallel | None, model: Known, teacher: Known | None) -> dict[str, Any] | None:
    if texts is None or model.encoder is None:
        return None
    if teacher is None or not teacher.knows(_originals(texts)):
        return measure_health(texts, model.space, None, model.encoder, None)
    return measure_health(texts, model.space, teacher.space, model.encoder, teacher.encoder)


def _originals(texts: Parallel | None) -> list[str]:
    pairs = [] if texts is None else texts.pairs.values()
    return [original for found in pairs for _, original in found]
