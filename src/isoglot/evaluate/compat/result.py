"""What a check of an index found: frozen records of plain Python values.

Scores and thresholds are in the index's own measure: a cosine, a dot product, or a Euclidean distance (where less is
nearer, and a hit passes a threshold from below).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from isoglot.evaluate.indexes.index import IndexFacts

Protocol = Literal["labelled", "unlabelled", "calibration only"]
Verdict = Literal["works", "usable with a new threshold", "does not work"]
ThresholdFrom = Literal["given", "best F1 of the teacher", "median of the teacher's hits"]


@dataclass(frozen=True)
class Rates:
    """Precision, recall and F1 of "the score passes the threshold", each 0..1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Bin:
    """One point of a reliability curve.

    Attributes:
        low: lower bound of the bin's scores.
        high: upper bound.
        pairs: query-document pairs in it.
        share: of them that should pass, 0..1; None in an empty bin.
    """

    low: float
    high: float
    pairs: int
    share: float | None


@dataclass(frozen=True)
class Point:
    """Pairs to which the teacher gives about the same score: how many, and the mean of both models' scores."""

    teacher: float
    student: float
    pairs: int


@dataclass(frozen=True)
class Agreement:
    """What both models say of the same documents, those that either of them finds.

    Attributes:
        shift: mean of the student's minus the teacher's score.
        kept: share of the pairs that pass with the teacher that also pass with the student; None without such pairs.
        added: share of the others that pass with the student; None without such pairs.
        points: by the teacher's score, ascending.
    """

    shift: float
    kept: float | None
    added: float | None
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Calibration:
    """Whether the teacher's threshold still says the same of the student's queries.

    What should pass is what is relevant (labelled, among each model's own hits), or what passes today, with the
    teacher and the English query (unlabelled and the index's own texts, among the hits of both).

    Attributes:
        threshold: the teacher's.
        teacher: the teacher with the English query, at it; perfect by definition where there are no labels.
        student: the student, at it.
        own_threshold: at which the student's F1 is best.
        own: the student, at that one.
        curve: reliability of the student's scores.
        teacher_curve: the same of the teacher, over the same bins.
        agreement: of student and teacher.
    """

    threshold: float
    teacher: Rates
    student: Rates
    own_threshold: float
    own: Rates
    curve: tuple[Bin, ...]
    teacher_curve: tuple[Bin, ...]
    agreement: Agreement

    @property
    def holds(self) -> float:
        """F1 at the teacher's threshold as a share of the best that any threshold gives, 0..1."""
        return self.student.f1 / self.own.f1 if self.own.f1 else 0.0


@dataclass(frozen=True)
class Ranking:
    """Means over queries with relevant documents, 0..1; all are cut at ten hits."""

    recall_1: float
    recall_5: float
    recall_10: float
    mrr_10: float
    ndcg_10: float


@dataclass(frozen=True)
class LanguageCompat:
    """One language of the queries.

    Attributes:
        language: BCP 47 tag.
        queries: that were judged.
        value: what the verdict rests on: nDCG@10 as a share of the teacher's (labelled), or the overlap (unlabelled).
        interval: 95 % bootstrap interval of `value` over queries; None where it cannot be told.
        student: labelled: the student's ranking.
        teacher: labelled: the teacher's, with the parallel English queries.
        overlap: unlabelled: share of the teacher's first ten hits that are among the student's, 0..1.
        calibration: of the threshold.
        verdict: what follows.
    """

    language: str
    queries: int
    value: float
    interval: tuple[float, float] | None
    calibration: Calibration
    verdict: Verdict
    student: Ranking | None = None
    teacher: Ranking | None = None
    overlap: float | None = None


@dataclass(frozen=True)
class Proof:
    """Whether the claimed teacher built the index: its vectors of the index's own texts beside those in the index.

    Attributes:
        sampled: texts that were embedded.
        median: cosine of index's and teacher's vector, over the sample.
        lowest: the same.
        agreeing: share of the sample at or above `limit`.
        limit: cosine from which on a vector counts as the teacher's.
        unit: the index holds vectors of unit length though the teacher's have others; queries get unit length too.
    """

    sampled: int
    median: float
    lowest: float
    agreeing: float
    limit: float
    unit: bool


@dataclass(frozen=True)
class CompatResult:
    """Everything that a check found.

    Attributes:
        model: as the user named it.
        fingerprint: of the student.
        space: fingerprint of the teacher.
        threshold_from: where the threshold comes from.
        limits: numbers of the verdicts: `value` (lowest that works), `f1` (lowest `Calibration.holds` that works).
        own_texts: calibration on the index's own texts; None where the index holds too few to compare.
        own_cosine: mean cosine of the student's vector of an index's own text and the one in the index.
        own_overlap: mean overlap of student's and teacher's ten hits for those texts; None like `own_texts`.
        languages: one entry per language of the queries; empty without queries.
        left_out: queries that were not judged, by reason.
        signature: what makes two results comparable.
        note: what the reader must know, such as that there were no queries; empty when nothing.
    """

    model: str
    fingerprint: str
    space: str
    index: IndexFacts
    protocol: Protocol
    proof: Proof
    threshold_from: ThresholdFrom
    limits: Mapping[str, float]
    own_texts: Calibration | None
    own_cosine: float
    own_overlap: float | None
    languages: tuple[LanguageCompat, ...]
    left_out: Mapping[str, int]
    signature: str
    note: str = ""

    @property
    def worst(self) -> LanguageCompat | None:
        """The language of the lowest `value`; None without queries."""
        return min(self.languages, key=lambda one: (one.value, one.language), default=None)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON, and the worst language by name under "worst"."""
        worst = self.worst
        return {**asdict(self), "worst": None if worst is None else worst.language}
