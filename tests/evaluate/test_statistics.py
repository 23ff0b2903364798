"""Statistics of scores against scipy, scikit-learn and plain loops; their bootstrap against drawing one by one."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score, precision_score, recall_score, v_measure_score

from isoglot.errors import RequestError
from isoglot.evaluate.score import Statistic
from isoglot.evaluate.statistics import interval, of_samples, paired_difference, spearman, value

SMALL = arrays(np.float32, (30, 2), elements=st.integers(-5, 5).map(float))
YES_OR_NO = arrays(np.float32, (40, 2), elements=st.sampled_from([0.0, 1.0]))


def correlated(n, noise, seed=0):
    """Cosines and gold scores with ties, as in STS."""
    random = np.random.default_rng(seed)
    gold = random.integers(0, 26, n) / 5
    return np.stack([gold / 5 + noise * random.normal(size=n), gold], axis=1).astype(np.float32)


def decisions(seen):
    """Predicted and gold of every candidate, with the column that says both."""
    return np.column_stack([seen, seen[:, 0] * seen[:, 1]]).astype(np.float32)


@settings(max_examples=50)
@given(SMALL)
def test_correlations_equal_scipy_with_ties(items):
    x, y = items.T.astype(np.float64)
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert value("spearman", items) == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
        assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
        assert value("pearson", items) == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
    else:
        assert value("spearman", items) == value("pearson", items) == spearman(x, y) == 0.0


@settings(max_examples=30)
@given(YES_OR_NO)
def test_precision_recall_and_f1_equal_scikit_learn(seen):
    predicted, gold = seen.T.astype(int)
    for statistic, reference in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        expected = reference(gold, predicted, zero_division=0)
        assert value(statistic, decisions(seen)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=50)
@given(arrays(np.float32, (40, 2), elements=st.integers(0, 6).map(float)))
def test_v_measure_equals_scikit_learn(items):
    expected = v_measure_score(items[:, 1].astype(int), items[:, 0].astype(int))
    assert value("v-measure", items) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("clusters", "labels", "expected"),
    [([0, 0, 0], [1, 1, 1], 1.0), ([0, 0, 0, 0], [0, 0, 1, 1], 0.0), ([5, 5, 9], [1, 1, 0], 1.0)],
)
def test_v_measure_at_its_edges(clusters, labels, expected):
    assert value("v-measure", np.array([clusters, labels], np.float32).T) == pytest.approx(expected)
    assert v_measure_score(labels, clusters) == pytest.approx(expected)


def test_a_mean_is_a_mean():
    assert value("mean", np.array([[1], [0], [1], [1]], np.float32)) == 0.75


REFERENCE = {
    "mean": lambda items: items[:, 0].mean(),
    "spearman": lambda items: spearmanr(items[:, 0], items[:, 1]).statistic,
    "pearson": lambda items: pearsonr(items[:, 0], items[:, 1]).statistic,
    "f1": lambda items: 2 * items[:, 2].sum() / items[:, :2].sum(),
    "precision": lambda items: items[:, 2].sum() / items[:, 0].sum(),
    "recall": lambda items: items[:, 2].sum() / items[:, 1].sum(),
}


def sample_of(statistic):
    random = np.random.default_rng(7)
    if statistic in ("spearman", "pearson"):
        return correlated(200, 0.2)
    if statistic == "mean":
        return (random.random((200, 1)) < 0.8).astype(np.float32)
    gold = random.random(200) < 0.5
    return decisions(np.column_stack([np.where(random.random(200) < 0.8, gold, ~gold), gold]))


@pytest.mark.parametrize("statistic", REFERENCE)
def test_an_interval_is_that_of_drawing_item_by_item(statistic):
    """Two bootstraps with different random numbers agree up to their own noise."""
    items, random = sample_of(statistic), np.random.default_rng(3)
    drawn = [float(REFERENCE[statistic](items[random.integers(200, size=200)])) for _ in range(1000)]
    low, high = interval(statistic, items, samples=2000)
    width = np.percentile(drawn, 97.5) - np.percentile(drawn, 2.5)
    assert low == pytest.approx(np.percentile(drawn, 2.5), abs=0.12 * width)
    assert high == pytest.approx(np.percentile(drawn, 97.5), abs=0.12 * width)
    assert low < value(statistic, items) < high


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    """95 % of the intervals of 120 samples with a known mean hold it, give or take what 120 trials allow."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(120):
        low, high = interval("mean", (random.random((300, 1)) < 0.7).astype(np.float32), samples=400)
        held += low <= 0.7 <= high
    assert 105 <= held <= 120


def test_a_v_measure_lies_inside_its_interval_even_without_any_structure():
    random = np.random.default_rng(1)
    noise = random.integers(20, size=(500, 2)).astype(np.float32)
    right = np.repeat(np.arange(20), 25).astype(np.float32)
    near = np.column_stack([np.where(random.random(500) < 0.9, right, noise[:, 0]), right])
    for items in (noise, near):
        low, high = interval("v-measure", items)
        assert low < value("v-measure", items) < high
        assert high - low < 0.1


def test_the_same_seed_gives_the_same_interval_and_rows_may_be_in_any_order():
    items = correlated(300, 0.2)
    shuffled = items[np.random.default_rng(2).permutation(300)]
    assert interval("spearman", items) == interval("spearman", items) == interval("spearman", shuffled)
    assert interval("spearman", items) != interval("spearman", items, seed=1)


def test_many_items_are_drawn_in_blocks():
    items = np.random.default_rng(4).random((300_000, 1), np.float32)
    low, high = interval("mean", items, samples=10)
    error = float(items.std()) / np.sqrt(300_000)
    assert value("mean", items) == pytest.approx(items.mean(dtype=np.float64), abs=1e-9)
    assert 1.5 * error < high - low < 6 * error


def test_a_model_does_not_differ_from_itself():
    items = correlated(200, 0.2)
    found = paired_difference("spearman", items, items)
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_difference_is_that_of_the_values_for_every_statistic():
    """Also where the items of one model are equal and those of the other are not."""
    random = np.random.default_rng(2)
    for statistic in get_args(Statistic):
        columns = {"mean": 1, "spearman": 2, "pearson": 2, "v-measure": 2}.get(statistic, 3)
        one, other = random.integers(0, 3, (2, 90, columns)).astype(np.float32)
        found = paired_difference(statistic, one, other)
        assert found.difference == pytest.approx(value(statistic, one) - value(statistic, other), abs=1e-12)
        once = np.ones((1, 90), np.int64)
        assert of_samples(statistic, one, once)[0] == pytest.approx(value(statistic, one), abs=1e-12)


def test_a_real_difference_is_seen_and_noise_is_not():
    good, better, as_good = correlated(300, 0.30), correlated(300, 0.15), correlated(300, 0.30, seed=0)
    as_good[:, 0] += np.random.default_rng(9).normal(size=300).astype(np.float32) * 0.02
    found = paired_difference("spearman", better, good)
    assert found.difference == value("spearman", better) - value("spearman", good)
    assert 0 < found.low < found.difference < found.high
    assert found.p < 0.01
    noise = paired_difference("spearman", as_good, good)
    assert noise.low < 0 < noise.high
    assert noise.p > 0.05


def test_the_difference_has_a_sign_and_a_p_that_ignores_it():
    good, better = correlated(300, 0.30), correlated(300, 0.25)
    one, other = paired_difference("pearson", better, good), paired_difference("pearson", good, better)
    assert one.difference == pytest.approx(-other.difference, abs=1e-12)
    assert one.p == pytest.approx(other.p, abs=0.02)


def test_pairing_sees_more_than_two_intervals():
    """Models that fail on the same items differ for sure although their own intervals overlap."""
    hard = np.random.default_rng(6).random(400) < 0.5
    first = (~hard).astype(np.float32)[:, None]
    second = first.copy()
    second[np.flatnonzero(hard)[:12]] = 1
    assert interval("mean", second)[0] < interval("mean", first)[1]
    assert paired_difference("mean", second, first).p < 0.01


def test_p_is_the_share_of_samples_without_a_difference():
    """Two models differ in six of 400 items, one way five times: p of a drawn sum, computed by drawing it."""
    first, second = np.zeros((400, 1), np.float32), np.zeros((400, 1), np.float32)
    first[:5], second[5] = 1, 1
    random = np.random.default_rng(8)
    sums = (first - second)[random.integers(400, size=(20_000, 400)), 0].sum(axis=1)
    expected = 2 * min((sums <= 0).mean(), (sums >= 0).mean())
    assert paired_difference("mean", first, second, samples=5000).p == pytest.approx(expected, rel=0.15)


def test_no_items_and_items_that_do_not_match_are_refused():
    with pytest.raises(RequestError, match="no items"):
        value("mean", np.zeros((0, 1), np.float32))
    with pytest.raises(RequestError, match="3 and of 2 items"):
        paired_difference("mean", np.zeros((3, 1), np.float32), np.zeros((2, 1), np.float32))
