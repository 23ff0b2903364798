"""What the report shows: frozen records of plain Python values (`dataclasses.asdict` makes JSON).

Numbers that follow from others (means, the worst language) are computed here and never stored twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from isoglot.corpus.languages import is_code, name
from isoglot.evaluate.report.measured import Card, Comparison, Compat, HealthRow, SkippedTask, TaskResult

Stage = Literal["before", "warm start", "trained"]
STAGES: tuple[Stage, ...] = ("before", "warm start", "trained")


@dataclass(frozen=True)
class Language:
    """A language of the run: its BCP 47 tag and its English display name."""

    tag: str
    name: str


@dataclass(frozen=True)
class StageScores:
    """Scores of one language at one stage; None where a score has no meaning.

    An untouched student of another dimension than the teacher has no `mse`, `r2` and `to_teacher`.

    Attributes:
        mse: mean squared error to the teacher's vectors, per component.
        r2: share of the teacher's variance that the student explains; 1 is perfect, 0 is the mean vector.
        to_student: top-1 accuracy of student(x) -> student(English), 0..1.
        to_teacher: top-1 accuracy of student(x) -> teacher(English), 0..1.
    """

    mse: float | None
    r2: float | None
    to_student: float | None
    to_teacher: float | None


@dataclass(frozen=True)
class LanguageRow:
    """One language: `queries` test sentences, scored at every stage that was measured."""

    language: str
    name: str
    queries: int
    stages: Mapping[Stage, StageScores]

    def to_teacher(self, stage: Stage) -> float | None:
        """Top-1 accuracy against the teacher's English vectors at `stage`, None when it was not measured."""
        scores = self.stages.get(stage)
        return None if scores is None else scores.to_teacher


@dataclass(frozen=True)
class CurvePoint:
    """One evaluation on the dev split; step 0 is the warm start and has no loss.

    Attributes:
        minutes: training time since step 0.
        loss: mean training loss since the point before.
        retrieval: mean top-1 accuracy against the teacher's English vectors, 0..1; without one the student's own.
        spearman: rank correlation of student and teacher similarities, -1..1; None without a teacher.
        r2: share of the teacher's variance explained, at most 1; None without a teacher.
    """

    step: int
    minutes: float
    loss: float | None
    retrieval: float
    spearman: float | None
    r2: float | None


@dataclass(frozen=True)
class MapPoint:
    """One sentence on the 2-D map; points of one `group` are translations of each other.

    The teacher's vector of the English text has `is_teacher`; the student's vectors of every language do not.
    """

    group: int
    language: str
    text: str
    x: float
    y: float
    is_teacher: bool


@dataclass(frozen=True)
class Hit:
    """An English text found for a query, with the cosine of student(query) and teacher(text)."""

    text: str
    cosine: float


@dataclass(frozen=True)
class Example:
    """A query and the nearest English texts, best first; `english` is the right answer.

    Attributes:
        rank: position of the right answer in the whole pool (1 = first), None when unknown.
    """

    language: str
    query: str
    english: str
    hits: tuple[Hit, ...]
    rank: int | None = None


@dataclass(frozen=True)
class CorpusCounts:
    """Sentence pairs read, kept and dropped (by reason), and the rows kept per language tag."""

    read: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LeakRow:
    """Training sentences that are in a test set: dropped, or kept, which contaminates every score of it."""

    test_set: str
    sources: int
    translations: int
    contaminated: bool


@dataclass(frozen=True)
class Distillation:
    """What a distillation run knows of its student on held-out sentences; absent for any other model.

    Attributes:
        shipped: the stage that was saved as the student.
        why: one sentence on why that stage was chosen.
        minutes: training time after the warm start.
        pool: number of English texts that every query is searched in.
        rows: one per language, English not among them; any order.
        english: the student against the teacher on English itself.
        curve: scores on the dev split while training.
        shipped_step: step of the curve whose weights were saved, None when there is no curve.
    """

    shipped: Literal["warm start", "trained"]
    why: str
    minutes: float
    pool: int
    rows: tuple[LanguageRow, ...]
    english: LanguageRow | None = None
    curve: tuple[CurvePoint, ...] = ()
    shipped_step: int | None = None


@dataclass(frozen=True)
class Training:
    """What a run knows of a student that had no teacher.

    Attributes:
        objective: what it learned.
        why: one sentence on which weights were saved.
        curve: scores on the dev split while training, the student's own vectors on both sides.
        shipped_step: step of the curve whose weights were saved.
    """

    objective: str
    why: str
    curve: tuple[CurvePoint, ...]
    shipped_step: int


@dataclass(frozen=True)
class Report:
    """Everything the page shows; a part that is empty or None is absent from the page.

    Attributes:
        title: headline.
        model: what was evaluated: a folder, an id, an address.
        origin: what a student of ours was made from and who taught it; empty for any other model.
        teacher: whose space the model should be in; empty when there is none.
        languages: display names; a tag that is not among them is named by the standard, if it can be.
        distillation: None for a model that no run of ours has made.
        training: None but for a student of ours that had no teacher.
        results: scores of test sets, any order; the page sorts them.
        skipped: tasks that were not measured.
        health: rows per language, per length of sentences, or both.
        compat: None when no index was asked.
        comparison: None when one model was measured.
        map: sentences and their translations in two dimensions.
        pool: number of texts that the queries of `examples` and `worst` were searched in.
        examples: chosen by position alone, never by success.
        worst: the queries of each language whose right answer ranks lowest.
        corpus: None when there was no corpus to count.
        leaks: one entry per test set that was named to be reported.
        cards: model and data.
        provenance: name -> value: fingerprint, digests, seeds, versions, command, time.
        signatures: what makes two scores comparable, beside those of `results`.
        notices: licences of models and data.
    """

    title: str
    model: str
    origin: str = ""
    teacher: str = ""
    languages: tuple[Language, ...] = ()
    distillation: Distillation | None = None
    training: Training | None = None
    results: tuple[TaskResult, ...] = ()
    skipped: tuple[SkippedTask, ...] = ()
    health: tuple[HealthRow, ...] = ()
    compat: Compat | None = None
    comparison: Comparison | None = None
    map: tuple[MapPoint, ...] = ()
    pool: int = 0
    examples: tuple[Example, ...] = ()
    worst: tuple[Example, ...] = ()
    corpus: CorpusCounts | None = None
    leaks: tuple[LeakRow, ...] = ()
    cards: tuple[Card, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def language_name(report: Report, tag: str) -> str:
    """The display name of a language tag: the report's own, else the standard's, else the tag itself."""
    names = {language.tag: language.name for language in report.languages}
    return names.get(tag) or (name(tag) if is_code(tag) else tag)


def measured_stages(run: Distillation) -> tuple[Stage, ...]:
    """The stages that any language was measured at, in the order of the run."""
    return tuple(stage for stage in STAGES if any(stage in row.stages for row in run.rows))


def mean_scores(run: Distillation, stage: Stage) -> StageScores:
    """Unweighted mean over the languages that have each score; English is not among them."""
    scores = [row.stages[stage] for row in run.rows if stage in row.stages]
    return StageScores(
        mse=_mean(score.mse for score in scores),
        r2=_mean(score.r2 for score in scores),
        to_student=_mean(score.to_student for score in scores),
        to_teacher=_mean(score.to_teacher for score in scores),
    )


def ranked(run: Distillation) -> tuple[LanguageRow, ...]:
    """Rows by the shipped stage's `to_teacher`, best first; unmeasured rows last, ties by name."""

    def place(row: LanguageRow) -> tuple[float, str]:
        value = row.to_teacher(run.shipped)
        return (2.0 if value is None else -value, row.name)

    return tuple(sorted(run.rows, key=place))


def worst(run: Distillation) -> LanguageRow | None:
    """The language with the lowest shipped `to_teacher`, None when none was measured."""
    measured = [row for row in ranked(run) if row.to_teacher(run.shipped) is not None]
    return measured[-1] if measured else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
