import numpy as np
import pytest

from isoglot.evaluate.misaligned import FEWEST, excess, robust_scores


def test_excess_grows_with_the_distance_to_both_vectors_of_the_source():
    teacher = np.array([[0, 0], [1, 0]], np.float32)
    sources = np.array([[0, 0], [1, 2]], np.float32)
    targets = np.array([[3, 4], [1, 1], [4, 0], [1, 2]], np.float32)
    group = np.array([0, 1, 1, 1])
    # squared distances to teacher and student: 25 and 25; 1 and 1; 9 and 13; 4 and 0. The sources' own: 0, 4, 4, 4
    assert excess(teacher, sources, targets, group).tolist() == [50.0, -2.0, 18.0, 0.0]


def test_scores_are_standard_deviations_where_values_are_normal():
    values = np.random.default_rng(0).normal(3.0, 0.2, 20_000).astype(np.float32)
    scores = robust_scores(values, np.zeros(20_000, np.int16))
    assert np.median(scores) == pytest.approx(0, abs=1e-6)
    assert scores.std() == pytest.approx(1, rel=0.03)
    assert scores[np.argmax(values)] == scores.max()


def test_a_third_of_wild_values_hardly_moves_the_scores_of_the_others():
    random = np.random.default_rng(1)
    tame, wild = random.normal(0, 1, 2_000).astype(np.float32), np.full(1_000, 1e6, np.float32)
    scores = robust_scores(np.concatenate([tame, wild]), np.zeros(3_000, np.int16))
    assert 0.4 < scores[:2_000].std() < 1
    assert scores[2_000:].min() > 1e5


def test_each_language_has_its_own_median_and_deviation():
    random = np.random.default_rng(2)
    values = np.concatenate([random.normal(1, 0.1, 5_000), random.normal(9, 3, 5_000)]).astype(np.float32)
    language = np.repeat([0, 1], 5_000).astype(np.int16)
    scores = robust_scores(values, language)
    for number in (0, 1):
        assert np.median(scores[language == number]) == pytest.approx(0, abs=1e-5)
        assert scores[language == number].std() == pytest.approx(1, rel=0.06)


def test_a_language_of_few_pairs_borrows_from_all():
    values = np.concatenate([np.linspace(0, 1, 1_000), np.full(FEWEST - 1, 5.0)]).astype(np.float32)
    language = np.repeat([0, 1], [1_000, FEWEST - 1]).astype(np.int16)
    assert robust_scores(values, language)[-1] > 10  # all alike, so its own median would call them usual
    enough = np.concatenate([values, [np.float32(5.0)]]).astype(np.float32)
    assert robust_scores(enough, np.append(language, 1).astype(np.int16))[-1] == 0


def test_nothing_and_equal_values_have_scores_too():
    assert robust_scores(np.zeros(0, np.float32), np.zeros(0, np.int16)).shape == (0,)
    assert robust_scores(np.full(40, 0.5, np.float32), np.zeros(40, np.int16)).tolist() == [0.0] * 40
