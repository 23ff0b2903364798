"""Stages on their own: the evaluation of any encoder, and of a run's student at the end of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from isoglot.artefact import digest_json, read_json, read_manifest
from isoglot.config import EvaluateConfig, Recipe, TeacherConfig
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.corpus.store import Corpus
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.heldout import HeldOut, hold_out
from isoglot.evaluate.heldout_task import HeldOutTask, of_languages
from isoglot.evaluate.results import SCORES
from isoglot.evaluate.task import Space
from isoglot.lock import exclusive
from isoglot.pipeline.assess import Held
from isoglot.pipeline.evaluate import VECTORS, Job, TeacherSource, evaluate_job
from isoglot.pipeline.evaluate_models import Remembering, Subject, identity, lacking, space_of
from isoglot.pipeline.evaluate_parts import MtebRequest, measure_index
from isoglot.pipeline.evaluate_report import About
from isoglot.pipeline.evaluate_suite import (
    ALL,
    COMPAT,
    HEALTH,
    HELD_OUT,
    NAMES,
    Skipped,
    Suite,
    benchmarks_in,
    plan,
)
from isoglot.pipeline.health import Parallel, parallel_texts
from isoglot.pipeline.layout import REPORT, RunFolder
from isoglot.progress import SILENT, Progress
from isoglot.teacher.axes import AXES
from isoglot.teacher.coverage import Covered, cover
from isoglot.teacher.documents import open_documents
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.reduced import with_axes
from isoglot.teacher.store import Store

_ENGLISH = "en"


@dataclass(frozen=True)
class Wanted:
    """What `isoglot evaluate` was asked for.

    Attributes:
        model: folder, hub id, package:NAME, or any other encoder.
        suite: the tasks.
        data: where the test sets are.
        languages: canonical tags; empty: all.
        teacher: None: the one that a student's card names.
        corpus: whose test split is used.
        index: that the teacher built; see `evaluate.indexes.address`.
        index_texts: of its documents, where it holds none.
        config: pool and queries of held-out sentences.
    """

    model: str
    suite: Suite = ALL
    data: tuple[Path, ...] = ()
    languages: tuple[str, ...] = ()
    teacher: str | None = None
    corpus: Path | None = None
    index: str | None = None
    index_texts: str | None = None
    config: EvaluateConfig = field(default_factory=EvaluateConfig)


def evaluate(wanted: Wanted, out: Path, progress: Progress = SILENT) -> Mapping[str, Any]:
    """Measure an encoder and write `scores.json`, `items.safetensors` and `report.html` into `out`.

    Returns:
        The content of scores.json; when it already answers this request, it is only read.

    Raises:
        RequestError: no such model, teacher or test set, or nothing can be measured.
        DamagedError: a test set or corpus is damaged.
        IsoglotError: an encoder failed; the next evaluation goes on there.
    """
    subject = Subject.of(wanted.model)
    benchmarks = benchmarks_in(wanted.data, wanted.languages)
    corpus = None if wanted.corpus is None else Corpus.open(wanted.corpus)
    with exclusive(out):
        request = _request(wanted, subject, benchmarks, corpus)
        known = finished(out, request)
        if known is not None:
            return known
        source = _teacher_source(wanted, subject)
        if wanted.teacher is None and subject.teacher and source.open is None:
            request = ""  # the teacher may be there next time
        held = (
            None
            if corpus is None or HELD_OUT not in wanted.suite.names
            else _held(wanted, subject, corpus, source)
        )
        if held is not None and source.open is not None:
            held = replace(held, documents=_documents(wanted, subject, held.test, out / VECTORS, progress))
        label = wanted.teacher or (str(subject.teacher["label"]) if subject.teacher else "")
        about = About(subject, Path(wanted.model).name or wanted.model, label if source.open else "", held)
        job = _with_others(job_of(wanted.suite, about, benchmarks, source, request), wanted, progress)
        return evaluate_job(job, out, progress)


def evaluate_run(
    run: RunFolder, recipe: Recipe, held: Held, store: Store, progress: Progress
) -> Mapping[str, Any]:
    """Measure the student of a run on held-out sentences and on the test sets that its recipe names.

    Args:
        run: the run folder, whose lock the caller holds; the files go there.
        recipe: the run's.
        held: held-out texts, and the stages measured before.
        store: the teacher's vectors of the pool.
        progress: where to report.

    Returns:
        The content of scores.json; when it already answers this request, it is only read.
    """
    subject = Subject.of(str(run.student))
    paths, languages = map(Path, recipe.evaluate.benchmarks), (*held.corpus.languages, held.source_language)
    benchmarks = benchmarks_in(list(paths), languages, strict=False)
    request = digest_json([
        version("isoglot"), read_manifest(run.student).digest, held.test.digest, [one.digest for one in benchmarks]
    ])  # fmt: skip
    known = finished(run.root, request)
    if known is not None:
        return known
    teacher = subject.card["teacher"]
    source = TeacherSource(lambda: teacher_of(run.student, teacher, None), store)
    about = About(subject, recipe.name, str(teacher["label"]), held)
    names = tuple(task for task in NAMES if task != COMPAT) if benchmarks else (HELD_OUT, HEALTH)
    return evaluate_job(job_of(Suite(names), about, benchmarks, source, request), run.root, progress)


def finished(out: Path, request: str) -> Mapping[str, Any] | None:
    """The scores in `out`, when they answer this very request and the page is there too."""
    if not request or not (out / SCORES).is_file() or not (out / REPORT).is_file():
        return None
    known: dict[str, Any] = read_json(out / SCORES)
    return known if isinstance(known, dict) and known.get("request") == request else None


def teacher_config(about: Mapping[str, Any], model: str | None) -> TeacherConfig:
    """Give the options of the teacher that a student's card describes; `model`: where it is now, if elsewhere."""
    options = {"model": about["label"], **about.get("options", {})}
    return TeacherConfig(**{**options, **({} if model is None else {"model": model})})


def teacher_of(student: Path, about: Mapping[str, Any], model: str | None) -> Teacher:
    """Open the teacher that a student's card describes, from `model` when it is no longer where it was.

    Raises:
        RequestError: it cannot be opened, or its space is not the student's.
    """
    teacher, credit = open_teacher(teacher_config(about, model))
    if (student / AXES).is_file():
        teacher = with_axes(teacher, student / AXES)
    found, wanted = str(teacher.space()["fingerprint"]), about["space"]["fingerprint"]
    if found != wanted:
        raise RequestError(
            f"{student} lives in the space {wanted[:12]}, but {credit.label} has the space {found[:12]}.",
            "Give the teacher that the student was distilled from with --teacher.",
        )
    return teacher


def _teacher_source(wanted: Wanted, subject: Subject) -> TeacherSource:
    """Open the teacher that was named, or the one of the student's card if it is to be had."""
    about = subject.teacher
    if wanted.teacher is None and about is None:
        return TeacherSource()
    try:
        if about is None or subject.folder is None:
            teacher = open_teacher(TeacherConfig(model=str(wanted.teacher)))[0]
        else:
            teacher = teacher_of(subject.folder, about, wanted.teacher)
    except IsoglotError as error:
        if wanted.teacher is not None:
            raise
        return TeacherSource(why_not=f"the teacher of its card cannot be used: {error.problem}")
    return TeacherSource(lambda: teacher)


def _held(wanted: Wanted, subject: Subject, corpus: Corpus, source: TeacherSource) -> Held:
    """Hold sentences out of a corpus: its test split.

    Raises:
        RequestError: the split is empty, or has nothing in the languages.
    """
    missing = (subject.teacher or {}).get("options", {}).get("missing", "error")
    covered = Covered(corpus, frozenset()) if source.open is None else cover(corpus, source.open(), missing)
    test = hold_out(
        covered.groups("test"), covered.sources("train"), wanted.config.pool, wanted.config.queries
    )
    if wanted.languages:
        test = of_languages(test, wanted.languages)
    if not test.queries:
        raise RequestError(
            f"The test split of {corpus.folder} is empty{' in these languages' if wanted.languages else ''}.",
            "Build it with --set test_percent=5, or more sentences.",
        )
    return Held(corpus, test)


def _documents(
    wanted: Wanted, subject: Subject, test: HeldOut, folder: Path, progress: Progress
) -> Space | None:
    """The pool as documents of the teacher's index; None when they have the prompt of queries."""
    if subject.folder is None or subject.teacher is None:
        return None
    config = teacher_config(subject.teacher, wanted.teacher)
    teacher = open_documents(config, subject.folder / AXES)
    if teacher is None:
        return None
    store = Remembering(teacher, folder, f"{config.label}, documents", progress).store(test.pool)
    return space_of([store], lacking(test.pool, ()))


def job_of(
    suite: Suite, about: About, benchmarks: Sequence[Benchmark], source: TeacherSource, request: str
) -> Job:
    """What is measured, and why the rest is not."""
    tasks, skipped = plan(suite, benchmarks)
    if about.held is not None:
        tasks = [HeldOutTask(about.held.test, about.held.source_language, about.held.documents), *tasks]
    elif HELD_OUT in suite.names:
        skipped.insert(0, Skipped(HELD_OUT, "no corpus was named with --corpus"))
    health = None
    if HEALTH in suite.names:
        health = _parallel(about, benchmarks)
        if health is None:
            skipped.append(Skipped(HEALTH, "there are no translations: no --corpus, no test set of searches"))
    return Job(about, request, tasks, skipped, source, health)


def _with_others(job: Job, wanted: Wanted, progress: Progress) -> Job:
    """Add MTEB's tasks, and check the index at once: a wrong one must be found before the long part."""
    mteb = MtebRequest(wanted.suite.mteb, wanted.languages, wanted.data) if wanted.suite.mteb else None
    job = replace(job, mteb=mteb)
    if COMPAT not in wanted.suite.names:
        return job
    if wanted.index is None:
        reason = Skipped(COMPAT, "no index was named with --index")
        return replace(job, skipped=[*job.skipped, reason])
    index = wanted.index, wanted.index_texts
    return replace(job, compat=measure_index(wanted.model, index, wanted.teacher, progress))


def _parallel(about: About, benchmarks: Sequence[Benchmark]) -> Parallel | None:
    held = about.held
    language = _ENGLISH if held is None else held.source_language
    texts = parallel_texts(benchmarks, None if held is None else held.test, language)
    return texts if texts.pairs else None


def _request(wanted: Wanted, subject: Subject, benchmarks: Sequence[Benchmark], corpus: Corpus | None) -> str:
    """Digest of everything that the scores depend on; empty when an encoder or index is no file to tell it by."""
    named = subject.teacher["space"]["fingerprint"] if subject.teacher else ""
    encoders = identity(wanted.model), named if wanted.teacher is None else identity(wanted.teacher)
    if None in encoders or wanted.index is not None:
        return ""
    return digest_json([
        version("isoglot"), encoders, wanted.suite.names, wanted.suite.mteb, wanted.languages,
        wanted.config.model_dump(mode="json"), [one.digest for one in benchmarks],
        None if corpus is None else corpus.manifest.digest,
    ])  # fmt: skip
