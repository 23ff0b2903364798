"""What the report shows of a check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isoglot.evaluate.compat.page import OWN_TEXTS, as_report
from isoglot.evaluate.compat.result import (
    Agreement,
    Bin,
    Calibration,
    CompatResult,
    LanguageCompat,
    Point,
    Proof,
    Ranking,
    Rates,
)
from isoglot.evaluate.indexes.index import IndexFacts

CALIBRATION = Calibration(
    threshold=0.7,
    teacher=Rates(0.9, 0.8, 0.85),
    student=Rates(0.8, 0.6, 0.69),
    own_threshold=0.6,
    own=Rates(0.85, 0.75, 0.8),
    curve=(Bin(0.0, 1.0, 5, 0.4),),
    teacher_curve=(Bin(0.0, 1.0, 5, 0.5),),
    agreement=Agreement(-0.1, 0.75, 0.05, (Point(0.3, 0.2, 3), Point(0.8, 0.7, 2))),
)
RANKING = Ranking(0.5, 0.7, 0.8, 0.6, 0.65)


def result(*languages: LanguageCompat, metric="cosine", protocol="labelled") -> CompatResult:
    return CompatResult(
        model="student", fingerprint="f" * 64, space="s" * 64,
        index=IndexFacts("lancedb:db#t", "LanceDB table", 1234, 384, metric), protocol=protocol,
        proof=Proof(256, 0.999, 0.99, 1.0, 0.98, unit=False), threshold_from="given", limits={"f1": 0.95},
        own_texts=CALIBRATION, own_cosine=0.8, own_overlap=0.55, languages=languages, left_out={}, signature="s",
        note="" if languages else "no queries",
    )  # fmt: skip


def language(tag: str, value: float, verdict, **fields) -> LanguageCompat:
    return LanguageCompat(tag, 40, value, (0.1, 0.9), CALIBRATION, verdict, **fields)


def test_a_labelled_row_has_its_ranking_and_no_overlap():
    made = as_report(
        result(language("de", 0.9, "works", student=RANKING, teacher=replace(RANKING, ndcg_10=0.72)))
    )
    row = made.rows[0]
    assert (made.index, made.metric, made.documents) == ("LanceDB table lancedb:db#t", "cosine", 1234)
    assert (made.builder_cosine, made.threshold, made.protocol) == (0.999, 0.7, "labelled")
    assert (row.level, row.verdict, row.queries) == ("good", "works", 40)
    assert row.recall == {1: 0.5, 5: 0.7, 10: 0.8}
    assert (row.mrr, row.ndcg, row.reference, row.overlap) == (0.6, 0.65, 0.72, None)
    assert (row.threshold_kept, row.threshold_added) == (0.75, 0.05)
    assert [(point.teacher, point.student, point.pairs) for point in row.curve] == [
        (0.3, 0.2, 3),
        (0.8, 0.7, 2),
    ]


@pytest.mark.parametrize(
    ("verdict", "level"),
    [("works", "good"), ("usable with a new threshold", "fair"), ("does not work", "poor")],
)
def test_an_unlabelled_row_has_its_overlap_and_no_ranking(verdict, level):
    row = as_report(result(language("de", 0.4, verdict, overlap=0.4), protocol="unlabelled")).rows[0]
    assert (row.level, row.overlap, row.ndcg, row.mrr, dict(row.recall)) == (level, 0.4, None, None, {})


def test_distances_are_not_drawn_on_axes_of_cosines():
    assert as_report(result(language("de", 0.4, "works", overlap=0.4), metric="l2")).rows[0].curve == ()


def test_without_queries_the_own_texts_are_the_one_row():
    made = as_report(result(protocol="calibration only"))
    assert [(row.language, row.level, row.overlap) for row in made.rows] == [(OWN_TEXTS, "unknown", 0.55)]
    assert (made.note, made.threshold) == ("no queries", 0.7)
    assert made.rows[0].curve


def test_as_plain_values_a_result_names_its_worst_language():
    plain = result(language("de", 0.9, "works"), language("fr", 0.3, "does not work")).as_dict()
    assert plain["worst"] == "fr"
    assert plain["languages"][1]["calibration"]["agreement"]["points"][0] == {
        "teacher": 0.3,
        "student": 0.2,
        "pairs": 3,
    }
    assert result().as_dict()["worst"] is None


def test_what_holds_is_a_share_of_the_best():
    assert CALIBRATION.holds == pytest.approx(0.69 / 0.8)
    assert replace(CALIBRATION, own=Rates(0, 0, 0)).holds == 0.0
