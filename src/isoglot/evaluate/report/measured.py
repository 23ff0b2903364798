"""Records of what an evaluation measured, as the page shows it: plain Python values, numbers and strings only.

Each part is there or not: `isoglot evaluate` of a downloaded model fills results and health, `isoglot compat` the
compatibility, `--compare` the comparison, and a distillation run everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["labelled", "unlabelled", "calibration only"]
Level = Literal["good", "fair", "poor", "unknown"]


@dataclass(frozen=True)
class TaskResult:
    """One score of one test set in one language, between two, or over several: an entry of `scores.json`.

    Attributes:
        task: kind of task: sts, search, mining, bias, clustering.
        test_set: whose sentences, such as `stsb-dev`.
        languages: tags of first and second text; more than two where languages are pooled.
        metric: such as "Spearman", "F1".
        value: the score, -1..1 or 0..1.
        interval: bounds of the 95 % interval, None where there is none.
        main: whether it stands for its task; the others are shown in the tables only.
        n: sentences, pairs or candidates behind it.
        signature: two values are comparable only if these are equal but for the model.
        contaminated: the student was trained on sentences of this test set.
    """

    task: str
    test_set: str
    languages: tuple[str, ...]
    metric: str
    value: float
    interval: tuple[float, float] | None
    main: bool
    n: int
    signature: str
    contaminated: bool = False


@dataclass(frozen=True)
class SkippedTask:
    """A task that was not measured, and why."""

    task: str
    reason: str


@dataclass(frozen=True)
class HealthRow:
    """What the space looks like in one language, or in sentences of one length; None where nothing was measured.

    Attributes:
        language: its tag; None for all languages together.
        length: sentence length, such as "9-16 tokens"; None for all lengths together.
        sentences: how many it was measured on.
        mse: mean squared error to the teacher's vectors, per component.
        r2: share of the teacher's variance that the model explains, at most 1.
        cosine: mean cosine to the teacher's vector of the same meaning, -1..1.
        effective_rank: number of directions that are in use, 1..dimension.
        anisotropy: mean cosine of two unrelated sentences; 0 is a space that is used evenly.
        hubness: how unevenly sentences are neighbours of others; 0 is even.
        teacher_rank: effective rank of the teacher's vectors of the same originals.
    """

    language: str | None
    length: str | None
    sentences: int
    mse: float | None = None
    r2: float | None = None
    cosine: float | None = None
    effective_rank: float | None = None
    anisotropy: float | None = None
    hubness: float | None = None
    teacher_rank: float | None = None


@dataclass(frozen=True)
class CalibrationPoint:
    """Where the teacher gives pairs the mean score `teacher`, the student gives the same pairs `student`."""

    teacher: float
    student: float
    pairs: int


@dataclass(frozen=True)
class CompatRow:
    """One language that asks an index built by the teacher; None where the protocol does not measure it.

    Attributes:
        language: tag of the queries.
        queries: how many.
        level: the verdict as a traffic light.
        verdict: the verdict in words.
        recall: cut-off -> share of queries whose relevant document is among the first so many.
        mrr: mean reciprocal rank.
        ndcg: nDCG@10 of the student's queries.
        reference: nDCG@10 of the teacher with the English queries.
        overlap: share of the teacher's ten hits for the English query that are also the student's.
        threshold_kept: share of pairs above the teacher's threshold that the student also puts above it.
        threshold_added: share of pairs below the teacher's threshold that the student puts above it.
        curve: mean scores of student and teacher, in the index's measure, by the teacher's score, rising.
    """

    language: str
    queries: int
    level: Level
    verdict: str
    recall: Mapping[int, float] = field(default_factory=dict)
    mrr: float | None = None
    ndcg: float | None = None
    reference: float | None = None
    overlap: float | None = None
    threshold_kept: float | None = None
    threshold_added: float | None = None
    curve: tuple[CalibrationPoint, ...] = ()


@dataclass(frozen=True)
class Compat:
    """Queries by the student against documents embedded by the teacher.

    Attributes:
        index: what was asked, such as "LanceDB table documents".
        metric: the index's own, such as "cosine".
        documents: number of vectors in it.
        protocol: what the numbers mean; never mixed on one page.
        builder_cosine: median cosine of the index's vectors and the teacher's of the same texts; None when unmeasured.
        threshold: the teacher's threshold that was tested, in the index's measure; where it varies, of the first row.
        rows: one per language.
        note: one sentence on what was not measured and what to give to get it; empty when nothing is missing.
    """

    index: str
    metric: str
    documents: int
    protocol: Protocol
    builder_cosine: float | None = None
    threshold: float | None = None
    rows: tuple[CompatRow, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ComparisonRow:
    """One score of two models on the same items: `difference` is second minus first.

    Attributes:
        low, high: bounds of the 95 % interval of the difference, by paired bootstrap.
        p: how likely chance alone gives such a difference, 0..1.
        noise: whether the difference may be chance; shown grey, and called noise.
    """

    task: str
    test_set: str
    languages: tuple[str, ...]
    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    noise: bool


@dataclass(frozen=True)
class Comparison:
    """Two models: their names, and every score that both have."""

    first: str
    second: str
    rows: tuple[ComparisonRow, ...]


@dataclass(frozen=True)
class Card:
    """Facts about a model or a data set: name -> value, in the order to show them."""

    title: str
    facts: Mapping[str, str]
