"""Every metric of the index check beside a loop that follows its definition word for word, to 1e-6."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, ndcg_score, precision_score, recall_score

from isoglot.evaluate.compat.calibration import best_threshold, bin_edges, curve, rates
from isoglot.evaluate.compat.measure import share
from isoglot.evaluate.compat.overlap import overlap
from isoglot.evaluate.compat.ranking import ndcg, recall, reciprocal_rank
from isoglot.evaluate.compat.result import Rates
from isoglot.evaluate.indexes.metric import scores, shown

CLOSE = {"abs": 1e-6}


def graded(seed: int, queries: int = 40, documents: int = 60):
    """Random rankings: grades of all documents, and the grades of the first ten in a random order of theirs."""
    draw = np.random.default_rng(seed)
    grades = draw.integers(0, 4, (queries, documents)) * (draw.random((queries, documents)) < 0.15)
    grades[np.arange(queries), draw.integers(0, documents, queries)] += 1  # at least one is relevant
    order = np.argsort(draw.random((queries, documents)), axis=1)
    gains = np.take_along_axis(grades, order, axis=1)[:, :10].astype(float)
    ideal = -np.sort(-grades, axis=1)[:, :10].astype(float)
    return grades, order, gains, ideal


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 5, 10])
def test_recall_counts_relevant_documents_among_the_first(seed, k):
    grades, order, gains, _ = graded(seed)
    expected = []
    for row in range(len(grades)):
        relevant = {number for number in range(grades.shape[1]) if grades[row, number] > 0}
        expected.append(len(relevant & set(order[row, :k].tolist())) / len(relevant))
    assert recall(gains, (grades > 0).sum(axis=1), k) == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("seed", range(5))
def test_reciprocal_rank_looks_for_the_first_relevant_hit(seed):
    _, _, gains, _ = graded(seed)
    expected = [next((1 / rank for rank, gain in enumerate(row, 1) if gain > 0), 0.0) for row in gains]
    assert 0 in expected
    assert reciprocal_rank(gains) == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_is_the_sum_of_discounted_gains_over_the_best_one(seed):
    grades, order, gains, ideal = graded(seed)
    expected = []
    for row in range(len(grades)):
        found = sum(grades[row, number] / math.log2(rank + 2) for rank, number in enumerate(order[row, :10]))
        best = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(sorted(grades[row])[::-1][:10]))
        expected.append(found / best)
    assert ndcg(gains, ideal) == pytest.approx(expected, **CLOSE)
    ranks = np.argsort(
        order, axis=1
    )  # position of every document, which scikit-learn wants as falling scores
    assert ndcg(gains, ideal).mean() == pytest.approx(ndcg_score(grades, -ranks, k=10), **CLOSE)


@given(st.permutations(range(14)), st.permutations(range(14)), st.integers(1, 12))
def test_overlap_counts_common_hits(wanted, found, k):
    names = [list(map(str, order)) for order in (wanted, found)]
    common = sum(1 for name in names[0][:k] if name in names[1][:k])
    assert overlap(*names, k) == pytest.approx(common / k, **CLOSE)


def test_overlap_of_a_small_index_is_a_share_of_what_there_is():
    assert overlap(["a", "b"], ["b", "c"]) == 0.5


def judged(seed: int, size: int = 50):
    draw = np.random.default_rng(seed)
    values = np.round(draw.random(size), 1 if seed % 2 else 6).astype(
        np.float32
    )  # odd seeds: many equal scores
    right = draw.random(size) < values
    return values, right


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [-1.0, 0.3, 0.55, 2.0])
def test_rates_are_those_of_scikit_learn(seed, threshold):
    values, right = judged(seed)
    passed = values >= threshold
    found = rates(values, right, int(right.sum()), threshold)
    expected = (
        precision_score(right, passed, zero_division=1), recall_score(right, passed), f1_score(right, passed)
    )  # fmt: skip
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected, **CLOSE)


def test_documents_that_were_never_found_cost_recall():
    values, right = np.array([0.9, 0.8], np.float32), np.array([True, False])
    found = rates(values, right, 4, 0.85)
    assert (found.precision, found.recall) == (1.0, 0.25)
    assert found.f1 == pytest.approx(2 * 0.25 / 1.25, **CLOSE)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("missed", [0, 7])
def test_no_threshold_beats_the_best_one(seed, missed):
    values, right = judged(seed)
    total = int(right.sum()) + missed
    best = rates(values, right, total, best_threshold(values, right, total)).f1
    candidates = [*values.tolist(), -1.0, 2.0]
    assert best == pytest.approx(max(rates(values, right, total, one).f1 for one in candidates), **CLOSE)


def test_the_best_threshold_lies_between_what_passes_and_what_does_not():
    values, right = np.array([0.9, 0.7, 0.3], np.float32), np.array([True, True, False])
    assert best_threshold(values, right, 2) == pytest.approx(0.5)


def test_where_nothing_is_right_nothing_passes():
    values, right = np.array([0.9, 0.7], np.float32), np.zeros(2, bool)
    assert rates(values, right, 3, best_threshold(values, right, 3)) == Rates(1.0, 0.0, 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_the_reliability_curve_counts_pairs_and_right_ones_per_bin(seed):
    values, right = judged(seed)
    edges = bin_edges(values)
    bins = curve(values, right, edges)
    assert sum(one.pairs for one in bins) == len(values)
    for number, one in enumerate(bins):
        last = number == len(bins) - 1
        inside = (values.astype(float) >= one.low) & ((values.astype(float) < one.high) | last)
        assert one.pairs == inside.sum()
        share_right = right[inside].mean() if inside.any() else None
        assert one.share == (None if share_right is None else pytest.approx(share_right, **CLOSE))


def test_scores_beyond_the_edges_count_in_the_outer_bins():
    bins = curve(np.array([-5, 5], np.float32), np.array([False, True]), np.array([0.0, 0.5, 1.0]))
    assert [(one.pairs, one.share) for one in bins] == [(1, 0.0), (1, 1.0)]


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_scores_follow_the_definition_of_their_metric(metric):
    draw = np.random.default_rng(0)
    query, documents = draw.standard_normal(16, np.float32), draw.standard_normal((30, 16), np.float32)
    by_hand = {
        "cosine": lambda d: math.fsum(query * d) / math.sqrt(math.fsum(query**2) * math.fsum(d**2)),
        "dot": lambda d: math.fsum(query * d),
        "l2": lambda d: -math.sqrt(math.fsum((query - d) ** 2)),
    }[metric]
    assert scores(query, documents, metric) == pytest.approx([by_hand(one) for one in documents], abs=1e-5)
    exact = scores(query.astype(np.float64), documents.astype(np.float64), metric)
    assert exact == pytest.approx([by_hand(one) for one in documents.astype(np.float64)], **CLOSE)


def test_the_cosine_of_a_zero_vector_is_zero():
    assert scores(np.ones(3, np.float32), np.zeros((1, 3), np.float32), "cosine").tolist() == [0.0]


def test_only_distances_change_their_sign_for_people():
    assert shown(-1.5, "l2") == 1.5
    assert shown(0.4, "cosine") == shown(0.4, "dot") == 0.4


def test_a_share_is_of_totals_and_its_interval_holds_it():
    draw = np.random.default_rng(3)
    wholes = draw.random(200)
    parts = wholes * draw.random(200)
    value, interval = share(parts, wholes)
    assert value == pytest.approx(parts.sum() / wholes.sum(), **CLOSE)
    assert interval is not None
    assert interval[0] < value < interval[1] < value + 0.15


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(4)
    held = 0
    for _ in range(60):
        _, interval = share((draw.random(80) < 0.7).astype(float), np.ones(80))
        assert interval is not None
        held += interval[0] <= 0.7 <= interval[1]
    assert held >= 51  # of 60; below that at a true 95 % once in ten thousand times


def test_one_query_has_no_interval_and_nothing_to_share_is_zero():
    assert share(np.array([0.5]), np.array([1.0])) == (0.5, None)
    assert share(np.zeros(3), np.zeros(3))[0] == 0.0
