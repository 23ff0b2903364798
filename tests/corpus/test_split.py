"""The split is a function of the source sentence's words alone."""

import hashlib
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.corpus.split import SPLITS, key, keys, places, position, positions

SAME = [
    ("Hello, world!", "hello world"),
    ("It's 5 o'clock.", "its 5 oclock"),
    ("STRASSE", "Straße"),
    ("a  b\u00a0c", "A b c"),
    ("caf\u00e9", "Cafe\u0301"),
    ("«Yes» — no…", "yes no"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_sentences_that_count_as_one(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), [("5 + 3", "5 3"), ("a b", "ab"), ("é", "e"), ("1", "2")])
def test_sentences_that_stay_two(one, other):
    assert key(one) != key(other)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_key_has_neither_punctuation_nor_loose_spaces(text):
    found = key(text)
    assert found == " ".join(found.split())
    assert not [character for character in found if unicodedata.category(character)[0] == "P"]


# a mark behind punctuation, or a half syllable, joins what it then stands beside; nothing else may change
@given(
    st.text(st.characters(exclude_categories=["Cs", "M"], exclude_characters=map(chr, range(0x1100, 0x1200))))
)
def test_a_key_is_its_own_key(text):
    assert key(key(text)) == key(text)


def test_all_punctuation_goes_wherever_unicode_has_it():
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))
    assert not {character for character in key(everything) if unicodedata.category(character).startswith("P")}


def test_position_is_blake2b():
    expected = int(hashlib.blake2b(b"hello world", digest_size=8).hexdigest(), 16)
    assert position("hello world") == expected


def test_shares_are_as_asked():
    found = [position(f"sentence {number}") for number in range(5000)]
    spans = places(dev_percent=10, test_percent=20)
    shares = {split: sum(place in spans[split] for place in found) / 50 for split in SPLITS}
    # four standard deviations of a share of 20 % of 5 000
    assert shares == pytest.approx({"train": 70, "dev": 10, "test": 20}, abs=2.6)


def test_no_held_out_splits():
    assert places(0, 0) == {"train": range(2**64), "dev": range(0), "test": range(0)}


@given(st.floats(0, 49), st.floats(0, 49))
def test_every_place_lies_in_one_split(dev_percent, test_percent):
    spans = places(dev_percent, test_percent)
    assert [spans["test"].start, spans["test"].stop, spans["dev"].stop, spans["train"].stop] == [
        0, spans["dev"].start, spans["train"].start, 2**64
    ]  # fmt: skip


@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_way_for_ascii_gives_the_same_key(text):
    words = "".join(c for c in text.casefold() if unicodedata.category(c)[0] != "P").split()
    assert key(text) == " ".join(words)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))))
def test_many_at_once_are_the_same_as_one_by_one(texts):
    assert list(keys(texts)) == [key(text) for text in texts]
    assert positions(texts).tolist() == [position(key(text)) for text in texts]
