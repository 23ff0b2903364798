"""Evaluation as a stage: held-out scores of every language at every stage, `scores.json` and the page."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import read_json, read_manifest, write_json
from isoglot.corpus.languages import name
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.encode.fingerprint import space
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report import page
from isoglot.evaluate.report.data import (
    CorpusCounts,
    CurvePoint,
    Distillation,
    Language,
    LanguageRow,
    LeakRow,
    Report,
    Stage,
    StageScores,
    mean_scores,
    worst,
)
from isoglot.evaluate.score import Signature
from isoglot.evaluate.showcase import examples, sentence_map
from isoglot.evaluate.stages import Vectors, encode, score, score_languages
from isoglot.pipeline.layout import REPORT, SCORES
from isoglot.progress import Progress

_MAP_SENTENCES = 40
_EXAMPLES = 10


@dataclass(frozen=True)
class Subject:
    """A student and what it is measured on.

    Attributes:
        folder: the student folder.
        card: its isoglot.json.
        corpus: whose test split `test` is.
        test: held-out texts.
        teacher: float32 [pool, dimension], the teacher's vectors of the pool.
        earlier: stages measured before: "before" and "warm start" -> language -> scores.
        title: headline of the page.
    """

    folder: Path
    card: Mapping[str, Any]
    corpus: Corpus
    test: HeldOut
    teacher: NDArray[np.float32]
    earlier: Mapping[str, Mapping[str, StageScores]]
    title: str


def assess(subject: Subject, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Score a student on held-out sentences and write `scores.json` and `report.html` into `out`.

    Returns:
        The content of scores.json. When it already belongs to this student and test set it is only read.
    """
    scores_path, page_path = out / SCORES, out / REPORT
    student_digest = read_manifest(subject.folder).digest
    if scores_path.is_file() and page_path.is_file():
        known: dict[str, Any] = read_json(scores_path)
        if (known.get("student"), known.get("data")) == (student_digest, subject.test.digest):
            return known
    student = load_encoder(subject.folder)
    vectors = encode(student, subject.test, progress)
    run = _distillation(subject, vectors)
    report = _report(subject, run, vectors, str(space(student)["fingerprint"]))
    page.write(report, page_path)
    scores = _scores(run, report, student_digest, subject.test)
    write_json(scores_path, scores)
    return scores


def _report(subject: Subject, run: Distillation, vectors: Vectors, fingerprint: str) -> Report:
    card, test = subject.card, subject.test
    counts = subject.corpus.manifest
    source = str(counts.config["source_lang"])
    return Report(
        title=subject.title,
        model=card["start"],
        teacher=card["teacher"]["label"],
        languages=tuple(Language(tag, name(tag)) for tag in test.languages),
        distillation=run,
        map=sentence_map(vectors.queries, subject.teacher, test, source, _MAP_SENTENCES),
        pool=len(test.pool),
        examples=examples(vectors.queries, subject.teacher, test, _EXAMPLES),
        corpus=_counts(counts.counts),
        leaks=_leaks(card),
        provenance=_provenance(card, fingerprint),
        signatures=tuple(str(signature) for signature in _signatures(test, fingerprint)),
        notices=tuple((subject.folder / "NOTICE").read_text("utf-8").strip().split("\n\n")),
    )


def _distillation(subject: Subject, vectors: Vectors) -> Distillation:
    card, test, teacher = subject.card, subject.test, subject.teacher
    source = str(subject.corpus.manifest.config["source_lang"])
    shipped: Literal["warm start", "trained"] = card["shipped"]
    now = score_languages(vectors, teacher, test)
    return Distillation(
        shipped=shipped,
        why=card["why"],
        minutes=card["minutes"],
        pool=len(test.pool),
        rows=_rows(test, {**subject.earlier, shipped: now}),
        english=_source_row(vectors, teacher, source, shipped),
        curve=_curve(card["dev"]),
        shipped_step=card["shipped_step"],
    )


def _rows(test: HeldOut, stages: Mapping[str, Mapping[str, StageScores]]) -> tuple[LanguageRow, ...]:
    return tuple(
        LanguageRow(
            tag,
            name(tag),
            len(test.rows_of(number)),
            {stage: rows[tag] for stage, rows in stages.items()},  # type: ignore[misc]
        )
        for number, tag in enumerate(test.languages)
    )


def _source_row(vectors: Vectors, teacher: NDArray[np.float32], language: str, stage: Stage) -> LanguageRow:
    """The student on the source language itself: did it stay where the teacher is?"""
    itself = score(vectors.pool, np.arange(len(vectors.pool)), vectors.pool, teacher)
    return LanguageRow(language, name(language), len(vectors.pool), {stage: replace(itself, to_student=None)})


def _curve(dev: Sequence[Mapping[str, Any]]) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(
            point["step"], point["seconds"] / 60, point["loss"],
            point["score"]["retrieval"], point["score"]["spearman"], point["score"]["r2"],
        )
        for point in dev
    )  # fmt: skip


def _counts(counts: Mapping[str, Any]) -> CorpusCounts:
    dropped: dict[str, int] = {}
    for language in counts["languages"].values():
        for reason, rows in language["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + rows
    rows = {tag: language["kept"] for tag, language in counts["languages"].items() if language["kept"]}
    return CorpusCounts(counts["read"], counts["kept"], dropped, rows)


def _leaks(card: Mapping[str, Any]) -> tuple[LeakRow, ...]:
    """What the card says of the test sets that were named; students of older versions say nothing."""
    test_sets = card.get("leaks", {}).get("test_sets", {})
    return tuple(LeakRow(test_set, **of) for test_set, of in test_sets.items())


def _provenance(card: Mapping[str, Any], fingerprint: str) -> dict[str, str]:
    return {
        "isoglot": card["isoglot"],
        "recipe": card["recipe"],
        "teacher space": str(card["teacher"]["space"]["fingerprint"]),
        "student fingerprint": fingerprint,
        "corpus": card["corpus"],
        "seed": str(card["seed"]),
        "steps": str(card["steps"]),
        "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _signatures(test: HeldOut, fingerprint: str) -> list[Signature]:
    return [
        Signature("retrieval top-1", f"{protocol}, pool {len(test.pool)}", test.digest, fingerprint)
        for protocol in ("student->student", "student->teacher")
    ] + [
        Signature(task, "student(x) against teacher(source)", test.digest, fingerprint)
        for task in ("MSE", "R2")
    ]


def _scores(run: Distillation, report: Report, student_digest: str, test: HeldOut) -> dict[str, Any]:
    """The JSON of scores.json."""
    stages = list(run.rows[0].stages)
    means = {stage: asdict(mean_scores(run, stage)) for stage in stages}
    last = worst(run)
    return {
        "summary": _summary(run, means),
        "shipped": run.shipped,
        "why": run.why,
        "minutes": run.minutes,
        "pool": run.pool,
        "mean": means,
        "worst": None
        if last is None
        else {"language": last.language, "to_teacher": last.to_teacher(run.shipped)},
        "languages": {
            row.language: {
                "queries": row.queries,
                **{stage: asdict(s) for stage, s in row.stages.items()},
            }
            for row in run.rows
        },
        "source": None if run.english is None else asdict(run.english),
        "dev": [asdict(point) for point in run.curve],
        "test_sets": {
            leaks.test_set: {name: value for name, value in asdict(leaks).items() if name != "test_set"}
            for leaks in report.leaks
        },
        "signatures": list(report.signatures),
        "data": test.digest,
        "student": student_digest,
    }


def _summary(run: Distillation, means: Mapping[Stage, Mapping[str, float | None]]) -> str:
    path = " -> ".join(
        f"{scores['to_teacher']:.1%} {stage}"
        for stage, scores in means.items()
        if scores["to_teacher"] is not None
    )
    last = worst(run)
    named = f"; worst {last.name} {last.to_teacher(run.shipped):.1%}" if last else ""
    return f"a sentence finds its English original among {run.pool}: {path}{named}"
