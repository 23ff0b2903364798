"""From scores to scores.json and to the records of the page."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from statistics import fmean
from typing import Any

from isoglot.corpus.languages import is_code, name
from isoglot.evaluate.heldout_task import TEST_SET
from isoglot.evaluate.report.convert import compat_of
from isoglot.evaluate.report.data import Distillation, Language, LeakRow, Report, Training
from isoglot.evaluate.report.measured import HealthRow, SkippedTask, TaskResult
from isoglot.evaluate.results import Result, macro, to_json, worst
from isoglot.evaluate.stages import Vectors
from isoglot.evaluate.task import Space
from isoglot.pipeline import assess
from isoglot.pipeline.assess import Held
from isoglot.pipeline.evaluate_models import Subject
from isoglot.pipeline.evaluate_shown import Shown
from isoglot.pipeline.evaluate_suite import HELD_OUT, Skipped


@dataclass(frozen=True)
class About:
    """What was evaluated: the model, the headline of the page, the teacher's name, and the corpus."""

    subject: Subject
    title: str
    teacher: str
    held: Held | None


@dataclass(frozen=True)
class Measured:
    """What came out.

    Attributes:
        results: of all tasks.
        skipped: what was not measured.
        model: the model's vectors.
        teacher: the teacher's; None: there are none, or not of all held-out texts.
        health: what stands under "health"; None when it was not measured.
        compat: what stands under "compat"; None when no index was named.
        mteb: what stands under "mteb", an entry per score.
        shown: a map of translations and examples.
    """

    results: Sequence[Result]
    skipped: Sequence[Skipped]
    model: Space
    teacher: Space | None
    health: Mapping[str, Any] | None = None
    compat: Mapping[str, Any] | None = None
    mteb: Sequence[Mapping[str, Any]] = ()
    shown: Shown = field(default_factory=Shown)


def report_of(about: About, measured: Measured) -> Report:
    """Everything that the page shows."""
    tags = dict.fromkeys(tag for result in measured.results for tag in result.languages)
    held, run = about.held, _distillation(about, measured)
    return Report(
        title=about.title,
        model=about.subject.model,
        origin=_origin(about.subject),
        teacher=about.teacher,
        languages=tuple(Language(tag, name(tag) if is_code(tag) else tag) for tag in tags),
        results=tuple(_task_result(one) for one in measured.results if run is None or one.task != HELD_OUT),
        skipped=tuple(SkippedTask(one.task, one.reason) for one in measured.skipped),
        distillation=run,
        training=_training(about.subject),
        health=_health(measured.health),
        compat=compat_of(measured.compat),
        map=measured.shown.map,
        pool=measured.shown.pool,
        examples=measured.shown.examples,
        worst=measured.shown.worst,
        corpus=None if held is None else assess.corpus_counts(held.corpus.manifest.counts),
        leaks=tuple(LeakRow(test_set, **of) for test_set, of in _test_sets(about.subject).items()),
        provenance=_provenance(about, measured),
        signatures=tuple(dict.fromkeys(signature_of(r) for r in measured.results if r.task == HELD_OUT)),
        notices=_notices(about.subject),
    )


def scores_of(about: About, measured: Measured, report: Report) -> dict[str, Any]:
    """The content of scores.json, but for what only its writer knows."""
    run, held = report.distillation, about.held
    results = measured.results
    return {
        "summary": "; ".join(_summary(report, results)),
        "model": about.subject.model,
        **_compared(about.subject),
        "fingerprint": measured.model.fingerprint,
        "arithmetic": measured.model.precision,
        "teacher": about.teacher or None,
        "teacher_fingerprint": None if measured.teacher is None else measured.teacher.fingerprint,
        "tasks": [to_json(result) for result in results],
        "skipped": [asdict(one) for one in measured.skipped],
        "macro": macro(results),
        "worst": worst(results),
        "health": measured.health,
        "compat": measured.compat,
        "mteb": list(measured.mteb),
        "test_sets": _test_sets(about.subject),
        "signatures": list(dict.fromkeys(signature_of(result) for result in results)),
        **({} if run is None or held is None else assess.as_json(run, held.test)),
    }


def signature_of(result: Result) -> str:
    """A signature as text."""
    return str(result.signature)


def _origin(subject: Subject) -> str:
    """What a student was made from and who taught it; empty for a model that is none of ours."""
    if not subject.card:
        return ""
    taught = "" if subject.teacher is None else f", taught by {subject.teacher['label']}"
    return f"made from {subject.card['start']}{taught}"


def _distillation(about: About, measured: Measured) -> Distillation | None:
    """The stages of the run, which need its corpus and the teacher."""
    held, teacher = about.held, measured.teacher
    if held is None or teacher is None or about.subject.teacher is None:
        return None
    vectors = Vectors(measured.model.vectors(held.test.queries), measured.model.vectors(held.test.pool))
    return assess.distillation(held, about.subject.card, vectors, teacher.vectors(held.test.pool))


def _compared(subject: Subject) -> dict[str, Any]:
    """What a student without a teacher learned, and what it started from."""
    if "objective" not in subject.card:
        return {}
    return {key: subject.card[key] for key in ("objective", "start", "why")}


def _training(subject: Subject) -> Training | None:
    """How a student without a teacher came to be."""
    card = subject.card
    if "objective" not in card:
        return None
    curve = assess.curve_of(card["dev"])
    return Training(card["objective"]["kind"], card["why"], curve, card["shipped_step"])


def _task_result(result: Result) -> TaskResult:
    interval = None if result.low is None or result.high is None else (result.low, result.high)
    return TaskResult(
        result.task, result.test_set, result.languages, result.metric, result.value, interval, result.main, result.n,
        signature_of(result), bool(result.contaminated),
    )  # fmt: skip


def _health(health: Mapping[str, Any] | None) -> tuple[HealthRow, ...]:
    return tuple(_health_row(row) for row in (() if health is None else health["rows"]))


def _health_row(row: Mapping[str, Any]) -> HealthRow:
    model, teacher = row["model"] or {}, row["teacher"] or {}
    return HealthRow(
        row["language"], row["length"], row["sentences"], row["mse"], row["r2"], row["cosine"],
        model.get("effective_rank"), model.get("anisotropy"), model.get("hubness"), teacher.get("effective_rank"),
    )  # fmt: skip


def _test_sets(subject: Subject) -> Mapping[str, Mapping[str, Any]]:
    """What the card says of the test sets that were named; students of older versions say nothing."""
    found: Mapping[str, Mapping[str, Any]] = subject.card.get("leaks", {}).get("test_sets", {})
    return found


def _provenance(about: About, measured: Measured) -> dict[str, str]:
    card = about.subject.card
    made = {} if not card else {
        "recipe": card["recipe"], "corpus": card["corpus"], "seed": str(card["seed"]), "steps": str(card["steps"]),
    }  # fmt: skip
    owner = "none" if measured.teacher is None else measured.teacher.fingerprint
    return {
        "isoglot": version("isoglot"),
        "model": about.subject.model,
        "model fingerprint": measured.model.fingerprint,
        "arithmetic": measured.model.precision or "not said",
        "teacher space": owner,
        **made,
        "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _notices(subject: Subject) -> tuple[str, ...]:
    path = None if subject.folder is None else subject.folder / "NOTICE"
    return () if path is None or not path.is_file() else tuple(path.read_text("utf-8").strip().split("\n\n"))


def _summary(report: Report, results: Sequence[Result]) -> list[str]:
    """One line per task: the mean of its main scores."""
    lines = [] if report.distillation is None else [assess.summary(report.distillation)]
    main = [one for one in results if one.main and not (lines and one.test_set == TEST_SET)]
    for task, test_set, metric in dict.fromkeys((one.task, one.test_set, one.metric) for one in main):
        values = [
            one.value for one in main if (one.task, one.test_set, one.metric) == (task, test_set, metric)
        ]
        over = "" if len(values) == 1 else f", mean of {len(values)}"
        lines.append(f"{task} {test_set}: {metric} {fmean(values):.3f}{over}")
    return lines
