"""A result as plain values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isoglot.evaluate.compat.result import (
    Agreement,
    Bin,
    Calibration,
    CompatResult,
    LanguageCompat,
    Point,
    Proof,
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


def result(*languages: LanguageCompat) -> CompatResult:
    return CompatResult(
        model="student", fingerprint="f" * 64, space="s" * 64,
        index=IndexFacts("lancedb:db#t", "LanceDB table", 1234, 384, "cosine"), protocol="labelled",
        proof=Proof(256, 0.999, 0.99, 1.0, 0.98, unit=False), threshold_from="given", limits={"f1": 0.95},
        own_texts=CALIBRATION, own_cosine=0.8, own_overlap=0.55, languages=languages, left_out={}, signature="s",
        note="" if languages else "no queries",
    )  # fmt: skip


def language(tag: str, value: float, verdict) -> LanguageCompat:
    return LanguageCompat(tag, 40, value, (0.1, 0.9), CALIBRATION, verdict)


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
