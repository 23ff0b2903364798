"""One form for every text: what is mended, what is left alone, and that the column finds all that need it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.corpus.clean.repair import repair, repaired


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  two\t\n words\u00a0\u2028here ", "two words here"),
        ("e\u0301", "\u00e9"),
        ("line\r", "line"),
        ("\x85", ""),
        ("a\x00b\x07c", "abc"),
        ("\ufeffstart", "start"),
        ("zero\u200bwidth", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("left\u200eto\u202eright", "lefttoright"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian spells with the joiner
        ("word\u200c word", "word word"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("\u1100\u1161\u11a8", "각"),
        ("ﬁne", "ﬁne"),  # NFC, not NFKC
    ],
)
def test_repair(text, clean):
    assert repair(text) == clean


TEXT = st.text(st.characters() | st.sampled_from("a  \u0301\u0323\u200b\u200d\t\u00ad\u1161\u09be日"))


@given(TEXT)
def test_repairing_twice_changes_nothing(text):
    assert repair(repair(text)) == repair(text)


@given(TEXT)
def test_repaired_text_is_nfc(text):
    assert unicodedata.is_normalized("NFC", repair(text))


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_the_column_repairs_every_text_that_needs_it(texts):
    assert list(repaired(texts).texts) == [repair(text) for text in texts]


def test_mojibake_is_repaired_only_when_asked_for():
    wrong = "schön".encode().decode("latin-1")
    assert repaired([wrong]).texts == [wrong]
    assert repaired([wrong, "schön", "plain"], mojibake=True).texts == ["schön", "schön", "plain"]
