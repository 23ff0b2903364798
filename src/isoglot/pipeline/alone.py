"""A stage on its own: the evaluation of a finished student."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoglot.artefact import read_json
from isoglot.config import EvaluateConfig, TeacherConfig
from isoglot.corpus.store import Corpus
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import hold_out
from isoglot.pipeline.assess import Subject, assess
from isoglot.progress import SILENT, Progress
from isoglot.student.folder import CARD
from isoglot.teacher.coverage import cover
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.reduced import AXES, with_axes


def evaluate_student(
    student: Path,
    corpus: Path,
    out: Path,
    config: EvaluateConfig,
    teacher: str | None = None,
    progress: Progress = SILENT,
) -> Mapping[str, Any]:
    """Score a student folder on the test split of a corpus and write `scores.json` and `report.html`.

    Args:
        student: a folder that isoglot made.
        corpus: a corpus folder.
        out: where the two files go.
        config: pool and queries.
        teacher: the teacher; by default the one that the student's card names.
        progress: where to report.

    Raises:
        RequestError: the folder is no isoglot student, or the teacher's space is not the student's.
    """
    if not (student / CARD).is_file():
        raise RequestError(f"{student} has no {CARD}: it is not a student.", "Make one with isoglot distil.")
    card = read_json(student / CARD)
    owner = teacher_of(student, card["teacher"], teacher)
    opened = Corpus.open(corpus)
    covered = cover(opened, owner, card["teacher"].get("options", {}).get("missing", "error"))
    test = hold_out(covered.groups("test"), covered.sources("train"), config.pool, config.queries)
    if not test.queries:
        raise RequestError(
            f"The test split of {corpus} is empty.", "Build it with --set test_percent=5, or more sentences."
        )
    with progress.task("teacher vectors of the pool", len(test.pool), "sentences") as task:
        vectors = owner.encode(test.pool)
        task.advance(len(test.pool))
    out.mkdir(parents=True, exist_ok=True)
    return assess(Subject(student, card, opened, test, vectors, {}, student.name), out, progress)


def teacher_of(student: Path, about: Mapping[str, Any], model: str | None) -> Teacher:
    """Open the teacher that a student's card describes, from `model` when it is no longer where it was."""
    options = {"model": about["label"], **about.get("options", {})}
    config = TeacherConfig(**{**options, **({} if model is None else {"model": model})})
    teacher, credit = open_teacher(config)
    if (student / AXES).is_file():
        teacher = with_axes(teacher, student / AXES)
    found, wanted = str(teacher.space()["fingerprint"]), about["space"]["fingerprint"]
    if found != wanted:
        raise RequestError(
            f"{student} lives in the space {wanted[:12]}, but {credit.label} has the space {found[:12]}.",
            "Give the teacher that the student was distilled from with --teacher.",
        )
    return teacher
