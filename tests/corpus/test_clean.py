"""The filters, as tables of what they keep and drop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.config import CleanConfig
from isoglot.corpus.clean import REASONS, nearly_equal, normalise, reason_to_drop, similarity, weighted_length

LONG = "word " * 201

VERDICTS = [
    ("Good morning", "Guten Morgen", None),
    ("On", "Eingeschaltet", None),
    ("I am a student.", "我是学生。", None),
    ("Yes", "是", None),
    ("Where is the railway station?", "駅はどこですか。", None),
    ("It costs $100.", "Das kostet 100 Dollar.", None),
    ("It costs $1.50.", "Das kostet 1,50 Dollar.", None),
    ("The book was $5.", "Das Buch kostete fünf Dollar.", None),
    ("He is 100% sure.", "Er ist zu 100 % sicher.", None),
    ("3 < 5 and 7 > 2", "3 ist kleiner als 5", None),
    ("Salt & pepper", "Salz und Pfeffer", None),
    ("", "Guten Morgen", "empty"),
    ("Good morning", "", "empty"),
    ("?!", "Wie bitte?!", "only punctuation"),
    ("What?", "...", "only punctuation"),
    ("_", "Unterstrich", "only punctuation"),
    ("I", "Ich", "too short"),
    ("Yes", "A", "too short"),
    (LONG, "Wort", "too long"),
    ("word", LONG, "too long"),
    ("Bluetooth", "Bluetooth", "identical"),
    ("Hello {name}", "Hallo du", "placeholder"),
    ("Hello you", "Hallo {name}", "placeholder"),
    ("%s files", "einige Dateien", "placeholder"),
    ("Hello %(name)s", "Hallo Name", "placeholder"),
    ("%1$d of 3", "eins von 3", "placeholder"),
    ("Page $1", "Seite $1", "placeholder"),
    ("Press <b>Enter</b>", "Eingabe drücken", "placeholder"),
    ("one&nbsp;two", "eins und zwei", "placeholder"),
    ("Yes", "Ja, das ist ganz gewiss richtig, mein lieber Freund", "length ratio"),
    ("The bluetooth device is gone", "The bluetooth device is gone!", "near-untranslated"),
    ("Open Settings", "open settings", "near-untranslated"),
    ("good \udcff morning", "Guten Morgen", "not Unicode"),
    ("Good morning", "Guten \ud800", "not Unicode"),
]


@pytest.mark.parametrize(("source", "target", "reason"), VERDICTS)
def test_verdicts(source, target, reason):
    assert reason_to_drop(source, target, CleanConfig()) == reason


def test_every_reason_has_an_example():
    assert {reason for *_, reason in VERDICTS if reason} == set(REASONS) - {"duplicate", "over the cap"}


def test_placeholders_may_stay():
    assert reason_to_drop("Hello {name}", "Hallo {name}, da", CleanConfig(drop_placeholders=False)) is None


@pytest.mark.parametrize(
    ("options", "source", "target", "reason"),
    [
        ({"min_chars": 6}, "Good day", "Tag", "too short"),
        ({"min_chars": 6}, "Good day", "日本", None),
        ({"max_chars": 9}, "Good morning", "Guten Tag", "too long"),
        ({"max_length_ratio": 1.5}, "Good", "Guten Morgen", "length ratio"),
        ({"max_untranslated": 0.3}, "Good morning", "Good mornink all", "near-untranslated"),
        ({"max_untranslated": 1.0}, "Good morning", "good morning", None),
    ],
)
def test_options_move_the_limits(options, source, target, reason):
    assert reason_to_drop(source, target, CleanConfig(**options)) == reason


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  two\t\n words\u00a0\u2028here ", "two words here"),
        ("e\u0301", "\u00e9"),
        ("line\r", "line"),
        ("\x85", ""),
    ],
)
def test_normalise(text, clean):
    assert normalise(text) == clean


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text("abcAB é日", max_size=12), st.text("abcAB é日", max_size=12), st.floats(0.05, 1))
def test_the_fast_answer_is_the_slow_one(first, second, threshold):
    assert nearly_equal(first, second, threshold) == (similarity(first, second) >= threshold)


def test_similarity_by_hand():
    # night: ni ig gh ht; nacht: na ac ch ht; one of four on either side
    assert similarity("Night", "nacht") == pytest.approx(0.25)
    assert similarity("same", "SAME") == 1.0
    assert similarity("", "") == 1.0
    assert similarity("a", "b") == 0.0


@pytest.mark.parametrize(
    ("text", "length"), [("abc", 3), ("日本", 6), ("かな", 4), ("한국어", 6), ("é日", 4)]
)
def test_weighted_length(text, length):
    assert weighted_length(text) == length
