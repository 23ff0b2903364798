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
from isoglot.evaluate.task import Task
from isoglot.pipeline.evaluate_models import Remembering, lacking, space_of
from isoglot.pipeline.evaluate_parts import (
    Known,
    MtebRequest,
    measure_mteb,
    measure_space,
    measure_tasks,
    originals_of,
)
from isoglot.pipeline.evaluate_report import About, Measured, report_of, scores_of
from isoglot.pipeline.evaluate_shown import Shown, shown_of, translations
from isoglot.pipeline.evaluate_suite import Skipped
from isoglot.pipeline.health import Parallel
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
        mteb: what is asked of MTEB; None: nothing.
        compat: the check of an index, as scores.json keeps it; None: there was no index.
    """

    about: About
    request: str
    tasks: Sequence[Task]
    skipped: Sequence[Skipped] = ()
    teacher: TeacherSource = field(default_factory=TeacherSource)
    health: Parallel | None = None
    mteb: MtebRequest | None = None
    compat: Mapping[str, Any] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to measure."""
        return not self.tasks and self.health is None and self.mteb is None


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
    if job.is_empty and job.compat is None:
        raise _nothing(job.skipped)
    teacher, skipped = _teacher_of(job, out / VECTORS, progress)
    model = _model_of(job, teacher, out / VECTORS, progress)
    scores, left_out = measure_tasks(job.tasks, model.space, teacher, progress)
    results = [
        result
        for task, found in scores.items()
        for result in results_of(task, found, job.about.subject.contaminated)
    ]
    health = measure_space(job.health, model, teacher, progress)
    mteb, lacking_mteb = measure_mteb(
        job.mteb, lambda: _remembering(job, model, out, progress), out, progress
    )
    skips = (*job.skipped, *skipped, *left_out, *lacking_mteb)
    if not results and health is None and not mteb and job.compat is None:
        raise _nothing(skips)
    owner = None if teacher is None else teacher.space
    shown = _shown(job, model, teacher)
    measured = Measured(results, skips, model.space, owner, health, job.compat, mteb, shown)
    items = [score.items for found in scores.values() for score in found]
    named = {result.key: one for result, one in zip(results, items, strict=True)}
    with progress.task("report", 1, "page") as task:
        written = _write(job, measured, named, out)
        task.advance()
    return written


def _nothing(skipped: Sequence[Skipped]) -> RequestError:
    reasons = "; ".join(f"{one.task}: {one.reason}" for one in skipped)
    return RequestError(f"Nothing can be measured. {reasons}.", "Give test sets with --data DIR.")


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
    texts = lacking(chain(originals_of(job.health), *(task.teacher_texts() for task in job.tasks)), ())
    if not texts:
        return None, []
    if source.open is None:
        return None, [Skipped(AGAINST_TEACHER, source.why_not)]
    stores = [] if source.known is None else [source.known]
    left = lacking(texts, stores)
    if not left:
        return Known(space_of(stores, texts), stores[0].dimension, None), []
    teacher = source.open()
    missing = teacher.missing(left)
    there = [text for text, gone in zip(left, missing, strict=True) if not gone]
    stores.append(Remembering(teacher, folder, job.about.teacher, progress).store(there))
    lacks = frozenset(text for text, gone in zip(left, missing, strict=True) if gone)
    return Known(space_of(stores, texts), stores[0].dimension, teacher, lacks), []


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
    store = Remembering(encoder, folder, subject.model, progress).store(texts)
    return Known(space_of([store], texts), store.dimension, encoder)


def _shown(job: Job, model: Known, teacher: Known | None) -> Shown:
    """A map and examples, of held-out sentences if there are any, else of translations in test sets."""
    held, language = job.about.held, "" if job.health is None else job.health.source_language
    texts = held.test if held is not None else None if job.health is None else translations(job.health)
    if texts is None or teacher is None or not teacher.lacks.isdisjoint(texts.pool):
        return Shown()
    source = language if held is None else held.source_language
    return shown_of(texts, source, model.space, teacher.space)


def _remembering(job: Job, model: Known, out: Path, progress: Progress) -> Remembering:
    """The model for texts that nobody has named before."""
    encoder = job.about.subject.open() if model.encoder is None else model.encoder
    return Remembering(encoder, out / VECTORS, job.about.subject.model, progress)
