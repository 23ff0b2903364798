"""Candidates are found with the chance that the bands promise; the exact overlap decides."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.corpus.near_duplicates import BANDS, ROWS, band_hashes, similarity


def test_similarity_by_hand():
    # "abcdef": abcde, bcdef; "abcdeg": abcde, bcdeg; one of three
    assert similarity("abcdef", "abcdeg") == pytest.approx(1 / 3)
    assert similarity("abc", "abc") == 1.0
    assert similarity("", "") == 0.0


@given(st.lists(st.text("ab é日", max_size=12), max_size=8))
def test_the_bands_of_a_text_do_not_depend_on_its_neighbours(texts):
    together = band_hashes(texts)
    assert together.shape == (len(texts), BANDS)
    for text, hashes in zip(texts, together, strict=True):
        assert np.array_equal(band_hashes([text])[0], hashes)


def test_equal_keys_have_equal_bands_and_empty_ones_none():
    hashes = band_hashes(["The door is open.", "the DOOR — is open", "...", "Something else here"])
    assert np.array_equal(hashes[0], hashes[1])
    assert not hashes[2].any()
    assert not (hashes[0] == hashes[3]).any()


@pytest.mark.parametrize("changed", [3, 9, 18])
def test_a_band_is_equal_as_often_as_the_theory_says(changed):
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    pairs = []
    for _ in range(400):
        text = "".join(chance.choices(letters, k=80))
        pairs.append((text, text[:-changed] + "".join(chance.choices(letters, k=changed))))
    expected = np.mean([similarity(*pair) ** ROWS for pair in pairs])
    left, right = (band_hashes(side) for side in zip(*pairs, strict=True))
    found = (left == right).mean()
    # 16 bands of 400 pairs; bands of a pair are independent given its similarity
    assert found == pytest.approx(expected, abs=4 * np.sqrt(0.25 / (400 * BANDS)))
