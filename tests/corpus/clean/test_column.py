"""What a column says of its texts equals what plain Python says of each."""

import unicodedata
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.corpus.clean import characters
from isoglot.corpus.clean.column import Column

TEXTS = st.lists(st.text(st.characters() | st.sampled_from("aa日か한1٣. {")), max_size=8)


@given(TEXTS)
def test_flags_per_text(texts):
    column = Column.of(texts)
    assert column.lengths.tolist() == [len(text) for text in texts]
    assert column.has(characters.DIGIT).tolist() == [any(c.isdecimal() for c in text) for text in texts]
    letters = [any(unicodedata.category(c)[0] == "L" for c in text) for text in texts]
    assert column.has(characters.LETTER).tolist() == letters
    assert column.ascii_lengths.tolist() == [sum(c < "\x80" for c in text) for text in texts]


@given(TEXTS)
def test_digits_per_text(texts):
    counts = [[sum(c.isdecimal() and int(c) == digit for c in text) for digit in range(10)] for text in texts]
    assert Column.of(texts).digits().tolist() == counts


@given(TEXTS, st.integers(2, 6))
def test_runs_end_with_their_text(texts, length):
    longest = [max((len(list(run)) for _, run in groupby(text)), default=0) for text in texts]
    assert Column.of(texts).longest_run_reaches(length).tolist() == [run >= length for run in longest]


@pytest.mark.parametrize(
    ("text", "length"), [("abc", 3), ("日本", 6), ("かな", 4), ("한국어", 6), ("é日", 4), ("", 0)]
)
def test_weighted_length(text, length):
    assert Column.of(["日", text, "か"]).weighted_lengths.tolist() == [3, length, 2]


def test_lone_surrogates_are_laid_out():
    column = Column.of(["good \udcff", "good"])
    assert column.has(characters.BROKEN).tolist() == [True, False]


def test_no_texts():
    column = Column.of([])
    assert (len(column.codes), column.starts.tolist()) == (0, [0])
    assert column.digits().shape == (0, 10)
    assert column.longest_run_reaches(2).dtype == np.bool_
