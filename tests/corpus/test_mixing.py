import numpy as np
import pytest

from isoglot.corpus.mixing import draw_translations, language_weights, shares

SIZES = np.array([900, 300, 60])


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
def test_temperature_sets_the_share_of_each_language(temperature):
    mass = language_weights(SIZES, temperature) * SIZES
    expected = SIZES.astype(float) ** temperature
    assert np.allclose(mass / mass.sum(), expected / expected.sum())


def test_a_language_without_translations_has_no_weight():
    assert language_weights(np.array([4, 0, 1]), 0.0).tolist() == [0.25, 0.0, 1.0]
    assert language_weights(np.zeros(2, int), 0.5).tolist() == [0.0, 0.0]


def test_draws_follow_the_weights():
    group = np.zeros(3, np.int32)
    weights = np.array([0.6, 0.3, 0.1])
    first = [int(draw_translations(group, weights, 1, (0, number))[0]) for number in range(4000)]
    assert np.abs(np.bincount(first, minlength=3) / 4000 - weights).max() < 0.03


def test_groups_are_never_mixed_up():
    group = np.array([0, 0, 2, 2, 2, 5], np.int32)
    drawn = draw_translations(group, np.ones(6), 2, (1,))
    assert [int((group[drawn] == g).sum()) for g in (0, 2, 5)] == [2, 2, 1]
    assert draw_translations(np.zeros(0, np.int32), np.ones(0), 2, (1,)).shape == (0,)


def drawn_shares(group, language, temperature, most):
    sizes = np.bincount(language)
    weights = language_weights(sizes, temperature)[language]
    return shares(language, draw_translations(group, weights, most, (0,)), len(sizes))


def test_one_translation_per_sentence_keeps_the_proportions_at_any_temperature():
    language = np.repeat([0, 1], [900, 100]).astype(np.int16)
    group = np.arange(1000, dtype=np.int32)
    for temperature in (0.0, 1.0):
        assert drawn_shares(group, language, temperature, 3).tolist() == [0.9, 0.1]


def test_where_sentences_have_a_choice_the_temperature_shifts_the_shares():
    """20 000 sentences in language 0, the first 2 000 of them in language 1 as well; one translation is drawn."""
    language = np.repeat([0, 1], [20_000, 2_000]).astype(np.int16)
    group = np.concatenate([np.arange(20_000), np.arange(2_000)]).astype(np.int32)
    # of the 2 000 sentences with a choice, 10 in 11 go to the language that is ten times rarer
    assert drawn_shares(group, language, 0.0, 1)[1] == pytest.approx(2_000 * 10 / 11 / 20_000, rel=0.03)
    assert drawn_shares(group, language, 1.0, 1)[1] == pytest.approx(2_000 * 1 / 2 / 20_000, rel=0.06)
    assert drawn_shares(group, language, 0.0, 2)[1] == pytest.approx(2_000 / 22_000)


def test_shares_of_nothing_are_zero():
    assert shares(np.zeros(0, np.int16), np.zeros(0, np.int64), 2).tolist() == [0.0, 0.0]
