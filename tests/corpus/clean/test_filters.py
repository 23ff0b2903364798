"""The filters, as tables of what they keep and drop; all rows of a batch are judged as if each were alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.config import CleanConfig
from isoglot.corpus.clean.chain import LATE_REASONS, REASONS, batch_of, reason_to_drop, verdicts
from isoglot.corpus.clean.filters import similarities
from isoglot.corpus.pair import Pair

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
    ("Page $1 of $2", "Seite $1 von $3", "placeholder"),
    ("Page $1", "Seite $1", None),
    ("Hello {name}", "{name}, hallo", None),
    ("Press <b>Enter</b>", "Eingabe drücken", "placeholder"),
    ("one&nbsp;two", "eins und zwei", "placeholder"),
    ("Yes", "Ja, das ist ganz gewiss richtig, mein lieber Freund", "length ratio"),
    ("The bluetooth device is gone", "The bluetooth device is gone!", "near-untranslated"),
    ("Open Settings", "open settings", "near-untranslated"),
    ("good \udcff morning", "Guten Morgen", "not Unicode"),
    ("Good morning", "Guten \ud800", "not Unicode"),
    ("You have 12 days", "Sie haben 21 Tage", None),
    ("You have 12 days", "Sie haben 13 Tage", "number"),
    ("1,000.50 euros", "1.000,50 Euro", None),
    ("3 May 2020", "2020年5月3日", None),
    ("3 cats", "\u0663 قطط", None),
    ("4 cats", "\u0663 قطط", "number"),
    ("three cats", "3 Katzen", None),
    ("Wait " + "." * 16, "Warte", "repeated characters"),
    ("Wait " + "." * 15, "Warte mal ein bisschen", None),
    ("Name: ________________", "Name und noch was: _______", "repeated characters"),
    ("The weather was bad all day", "Погода была плохая весь день", None),
    ("The weather was so bad that we stayed", "天气太糟糕了，我们一整天都待在家里", None),
    ("good \ufffd morning", "Guten Morgen", "not Unicode"),
]
# seen in tables of their own
MORE = {"alignment score", "wrong script", "wrong language"}


@pytest.mark.parametrize(("source", "target", "reason"), VERDICTS)
def test_verdicts(source, target, reason):
    assert reason_to_drop(Pair(source, target, "en", "und", "x"), CleanConfig()) == reason


def test_a_batch_is_judged_row_by_row():
    pairs = [Pair(source, target, "en", "und", "x") for source, target, _ in VERDICTS]
    found = verdicts(batch_of(pairs, "en", CleanConfig()), CleanConfig())
    assert [None if index < 0 else REASONS[index] for index in found] == [reason for *_, reason in VERDICTS]


def test_every_reason_has_an_example():
    shown = {reason for *_, reason in VERDICTS if reason} | MORE
    assert shown == set(REASONS) - set(LATE_REASONS)


@pytest.mark.parametrize(
    ("options", "source", "target", "reason"),
    [
        ({"min_chars": 6}, "Good day", "Tag", "too short"),
        ({"min_chars": 6}, "Good day", "日本", None),
        ({"max_chars": 9}, "Good morning", "Guten Tag", "too long"),
        ({"max_length_ratio": 1.5}, "Good", "Guten Morgen", "length ratio"),
        ({"max_untranslated": 0.3}, "Good morning", "Good mornink all", "near-untranslated"),
        ({"max_untranslated": 1.0}, "Good morning", "good morning", None),
        ({"placeholders": "keep"}, "Hello {name}", "Hallo du", None),
        ({"placeholders": "drop"}, "Hello {name}", "{name}, hallo", "placeholder"),
        ({"placeholders": "drop"}, "Page $1", "Seite $1", "placeholder"),
        ({"placeholders": "drop"}, "It costs $5", "Kostet fünf", None),
        ({"match_numbers": False}, "You have 12 days", "Sie haben 13 Tage", None),
        ({"max_repeats": 3}, "Wait....", "Warte mal", "repeated characters"),
        ({"max_repeats": 3}, "Wait...", "Warte mal", None),
    ],
)
def test_options_move_the_limits(options, source, target, reason):
    assert reason_to_drop(Pair(source, target, "en", "und", "x"), CleanConfig(**options)) == reason


@pytest.mark.parametrize(
    ("score", "least", "reason"),
    [
        (0.4, None, None),
        (0.4, 0.5, "alignment score"),
        (0.5, 0.5, None),
        (None, 0.5, None),
        (-1.0, 0.0, "alignment score"),
    ],
)
def test_alignment_scores_of_the_source(score, least, reason):
    pair = Pair("Good morning", "Guten Morgen", "en", "de", "x", score)
    assert reason_to_drop(pair, CleanConfig(min_score=least)) == reason


@given(
    st.lists(
        st.tuples(st.text("aAbé日か한1٣.{}$ \u200b", max_size=24), st.text("aAbé日か한1٣.{}$ \u200b", max_size=24)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_neighbours_in_a_batch_do_not_matter(texts):
    config = CleanConfig(max_repeats=2, max_untranslated=0.5)
    pairs = [Pair(source, target, "en", "und", "x") for source, target in texts]
    together = verdicts(batch_of(pairs, "en", config), config)
    alone = [int(verdicts(batch_of([pair], "en", config), config)[0]) for pair in pairs]
    assert together.tolist() == alone


def longest_common_subsequence(first: str, second: str) -> int:
    row = [0] * (len(second) + 1)
    for left in first:
        before = row
        row = [0]
        for place, right in enumerate(second):
            row.append(before[place] + 1 if left == right else max(row[place], before[place + 1]))
    return row[-1]


@given(st.text("abAB é日", min_size=1, max_size=12), st.text("abAB é日", max_size=12))
def test_similarity_by_definition(first, second):
    common = longest_common_subsequence(first.casefold(), second.casefold())
    expected = 2 * common / len(first + second)
    assert similarities([first], [second], 0.0)[0] == pytest.approx(expected, abs=1e-6)
