"""Evaluation as a stage: held-out scores of every language at every stage, `scores.json` and the page."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import read_json, read_manifest, write_json
from isoglot.config import Recipe
from isoglot.corpus.languages import name
from isoglot.encode.encoder import load_encoder
from isoglot.encode.fingerprint import space
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report import page
from isoglot.evaluate.report.data import (
    CorpusCounts,
    CurvePoint,
    Language,
    LanguageRow,
    RunReport,
    Stage,
    StageScores,
    mean_scores,
    worst,
)
from isoglot.evaluate.score import Signature
from isoglot.evaluate.showcase import examples, sentence_map
from isoglot.evaluate.stages import Vectors, encode, score, score_languages
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.learn import Material
from isoglot.pipeline.start import Start
from isoglot.progress import Progress

_MAP_SENTENCES = 40
_EXAMPLES = 10


def assess(
    folder: RunFolder,
    recipe: Recipe,
    material: Material,
    start: Start,
    test: HeldOut,
    card: Mapping[str, Any],
    progress: Progress,
) -> Mapping[str, Any]:
    """Score the published student on the test split and write `scores.json` and `report.html`.

    Returns:
        The content of scores.json. When it already belongs to this student and test set it is only read.
    """
    student_digest = read_manifest(folder.student).digest
    if folder.scores.is_file() and folder.report.is_file():
        known: dict[str, Any] = read_json(folder.scores)
        if (known.get("student"), known.get("data")) == (student_digest, test.digest):
            return known
    student = load_encoder(folder.student)
    vectors = encode(student, test)
    teacher = material.store.vectors(test.pool)
    trained = score_languages(vectors, teacher, test) if card["shipped"] == "trained" else {}
    fingerprint = str(space(student)["fingerprint"])
    report = RunReport(
        title=recipe.name,
        teacher=material.teacher.label,
        student=material.origin.label,
        languages=tuple(Language(tag, name(tag)) for tag in test.languages),
        shipped=card["shipped"],
        why=card["why"],
        minutes=card["minutes"],
        pool=len(test.pool),
        rows=_rows(test, {**start.scores, **({"trained": trained} if trained else {})}),
        english=_source_row(vectors, teacher, test, recipe, card),
        curve=_curve(card["dev"]),
        shipped_step=card["shipped_step"],
        map=sentence_map(vectors.queries, teacher, test, recipe.corpus.source_lang, _MAP_SENTENCES),
        examples=examples(vectors.queries, teacher, test, _EXAMPLES),
        corpus=_counts(material.corpus.manifest.counts),
        provenance=_provenance(recipe, material, card, fingerprint),
        signatures=tuple(str(signature) for signature in _signatures(test, fingerprint)),
        notices=tuple((folder.student / "NOTICE").read_text("utf-8").strip().split("\n\n")),
    )
    scores = _scores(report, student_digest, test)
    page.write(report, folder.report)
    write_json(folder.scores, scores)
    return scores


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


def _source_row(
    vectors: Vectors,
    teacher: NDArray[np.float32],
    test: HeldOut,
    recipe: Recipe,
    card: Mapping[str, Any],
) -> LanguageRow:
    """The student on the source language itself: did it stay where the teacher is?"""
    itself = score(vectors.pool, np.arange(len(test.pool)), vectors.pool, teacher)
    tag = recipe.corpus.source_lang
    stage: Stage = card["shipped"]
    return LanguageRow(tag, name(tag), len(test.pool), {stage: dataclasses.replace(itself, to_student=None)})


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


def _provenance(
    recipe: Recipe, material: Material, card: Mapping[str, Any], fingerprint: str
) -> dict[str, str]:
    return {
        "isoglot": card["isoglot"],
        "recipe": f"{recipe.name}, sha256 {card['recipe'][:16]}",
        "teacher space": str(material.store.space["fingerprint"]),
        "student fingerprint": fingerprint,
        "corpus": card["corpus"],
        "seed": str(recipe.seed),
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


def _scores(report: RunReport, student_digest: str, test: HeldOut) -> dict[str, Any]:
    """The JSON of scores.json."""
    stages = list(report.rows[0].stages)
    means = {stage: dataclasses.asdict(mean_scores(report, stage)) for stage in stages}
    last = worst(report)
    return {
        "summary": _summary(report, means),
        "shipped": report.shipped,
        "why": report.why,
        "minutes": report.minutes,
        "pool": report.pool,
        "mean": means,
        "worst": None
        if last is None
        else {"language": last.language, "to_teacher": last.to_teacher(report.shipped)},
        "languages": {
            row.language: {
                "queries": row.queries,
                **{stage: dataclasses.asdict(s) for stage, s in row.stages.items()},
            }
            for row in report.rows
        },
        "source": None if report.english is None else dataclasses.asdict(report.english),
        "dev": [dataclasses.asdict(point) for point in report.curve],
        "signatures": list(report.signatures),
        "data": test.digest,
        "student": student_digest,
    }


def _summary(report: RunReport, means: Mapping[Stage, Mapping[str, float | None]]) -> str:
    path = " -> ".join(
        f"{scores['to_teacher']:.1%} {stage}"
        for stage, scores in means.items()
        if scores["to_teacher"] is not None
    )
    last = worst(report)
    named = f"; worst {last.name} {last.to_teacher(report.shipped):.1%}" if last else ""
    return f"a sentence finds its English original among {report.pool}: {path}{named}"
