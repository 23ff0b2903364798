"""Held-out scores of a student at every stage of its run: a part of scores.json and of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.languages import name
from isoglot.corpus.store import Corpus
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report.data import (
    CorpusCounts,
    CurvePoint,
    Distillation,
    LanguageRow,
    Stage,
    StageScores,
    mean_scores,
    worst,
)
from isoglot.evaluate.stages import Vectors, score, score_languages
from isoglot.evaluate.task import Space


@dataclass(frozen=True)
class Held:
    """A corpus and what is held out of it.

    Attributes:
        corpus: whose test split `test` is.
        test: held-out texts.
        earlier: stages measured before: "before" and "warm start" -> language -> scores.
        documents: the teacher's vectors of the pool as documents, when it has another prompt for those.
    """

    corpus: Corpus
    test: HeldOut
    earlier: Mapping[str, Mapping[str, StageScores]] = field(default_factory=dict)
    documents: Space | None = None

    @property
    def source_language(self) -> str:
        """Tag of the pool's language."""
        return str(self.corpus.manifest.config["source_lang"])


def distillation(
    held: Held, card: Mapping[str, Any], vectors: Vectors, teacher: NDArray[np.float32]
) -> Distillation:
    """What a run knows of its student.

    Args:
        held: the texts.
        card: the student's isoglot.json.
        vectors: the student's.
        teacher: float32 [pool, dimension], the teacher's vectors of the pool.
    """
    shipped: Literal["warm start", "trained"] = card["shipped"]
    documents = None if held.documents is None else held.documents.vectors(held.test.pool)
    now = score_languages(vectors, teacher, held.test, documents)
    return Distillation(
        shipped=shipped,
        why=card["why"],
        minutes=card["minutes"],
        pool=len(held.test.pool),
        rows=_rows(held.test, {**held.earlier, shipped: now}),
        english=_source_row(vectors, teacher, held.source_language, shipped),
        curve=curve_of(card["dev"]),
        shipped_step=card["shipped_step"],
    )


def corpus_counts(counts: Mapping[str, Any]) -> CorpusCounts:
    """Rows read, kept and dropped, out of a corpus's manifest."""
    dropped: dict[str, int] = {}
    for language in counts["languages"].values():
        for reason, rows in language["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + rows
    rows = {tag: language["kept"] for tag, language in counts["languages"].items() if language["kept"]}
    return CorpusCounts(counts["read"], counts["kept"], dropped, rows)


def as_json(run: Distillation, test: HeldOut) -> dict[str, Any]:
    """The part of scores.json."""
    means = {stage: asdict(mean_scores(run, stage)) for stage in run.rows[0].stages}
    return {
        "shipped": run.shipped,
        "why": run.why,
        "minutes": run.minutes,
        "pool": run.pool,
        "mean": means,
        "languages": {
            row.language: {
                "queries": row.queries,
                **{stage: asdict(s) for stage, s in row.stages.items()},
            }
            for row in run.rows
        },
        "source": None if run.english is None else asdict(run.english),
        "dev": [asdict(point) for point in run.curve],
        "data": test.digest,
    }


def summary(run: Distillation) -> str:
    """One line on how it went."""
    means = {stage: mean_scores(run, stage).to_teacher for stage in run.rows[0].stages}
    path = " -> ".join(f"{value:.1%} {stage}" for stage, value in means.items() if value is not None)
    last = worst(run)
    named = f"; worst {last.name} {last.to_teacher(run.shipped):.1%}" if last else ""
    return f"a sentence finds its English original among {run.pool}: {path}{named}"


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


def curve_of(dev: Sequence[Mapping[str, Any]]) -> tuple[CurvePoint, ...]:
    """Looks at the dev split, out of a student's card."""
    return tuple(
        CurvePoint(
            point["step"], point["seconds"] / 60, point["loss"],
            point["score"]["retrieval"], point["score"]["spearman"], point["score"]["r2"],
        )
        for point in dev
    )  # fmt: skip
