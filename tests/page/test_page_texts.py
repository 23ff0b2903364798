from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from isoglot.page import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://example.org\x07link\x1b]8;;\x1b\\", "link"),
        ("a\x00b\x08c\x7fd\x9be", "abcde"),
        ("a\u202eb\u2067c\u2069d", "abcd"),
        ("a\ufeffb\U000e0041c", "abc"),
        ("lone \udc80 half", "lone \ufffd half"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_clean_removes_what_deceives_and_keeps_what_scripts_need(raw, shown):
    assert text.clean(raw) == shown


def test_clean_leaves_finished_markup_and_other_values():
    assert text.clean(Markup("<b>\n</b>")) == Markup("<b>\n</b>")
    assert text.clean(0.25) == 0.25
    assert text.clean(None) is None


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_clean_gives_text_that_utf8_can_hold_and_is_stable(raw):
    once = text.clean(raw)
    assert not any(character in "\x00\x1b\u202d\u202e\u2066\u2069" for character in once)
    once.encode()
    assert text.clean(once) == once


@pytest.mark.parametrize(
    ("tag", "attribute"),
    [
        ("zh-Hans", "zh-Hans"),
        ("de", "de"),
        ("x y", "und"),
        ('de" onclick="', "und"),
        ("", "und"),
        ("de\n", "und"),
    ],
)
def test_language_tag(tag, attribute):
    assert text.language_tag(tag) == attribute


@pytest.mark.parametrize(
    ("show", "value", "shown"),
    [
        (text.percent, 0.8564, "85.6%"),
        (text.percent, 1.0, "100.0%"),
        (text.percent, None, "–"),
        (text.percent, math.nan, "–"),
        (text.score, -0.98712, "−0.987"),
        (text.score, -312.44, "−312.4"),
        (text.score, -2.5e6, "−2.5e+06"),
        (text.score, math.inf, "–"),
        (text.thousandths, 0.00512, "5.12"),
        (text.thousandths, 1.25, "1,250"),
        (text.thousandths, None, "–"),
        (text.significant, 0.00131234, "0.00131"),
        (text.points, 0.8564, "85.6"),
        (text.points, -0.043, "−4.3"),
        (text.points, None, "–"),
        (text.signed_points, 0.0121, "+1.21"),
        (text.signed_points, -0.0283, "−2.83"),
        (text.probability, 0.0004, "< 0.001"),
        (text.probability, 0.0412, "0.041"),
        (text.decimal, 180.04, "180.0"),
        (text.decimal, math.nan, "–"),
        (text.count, 17204, "17,204"),
        (text.duration, 0.5, "30 s"),
        (text.duration, 14.6, "14.6 min"),
        (text.duration, 150, "2.5 h"),
    ],
)
def test_numbers(show, value, shown):
    assert show(value) == shown
