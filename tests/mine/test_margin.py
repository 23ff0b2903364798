"""Margins and thresholds against brute-force loops and the arithmetic of the published tools."""

import itertools

import numpy as np
import pytest

from isoglot.mine.knn import BothWays, nearest_both_ways
from isoglot.mine.margin import margin_scores, mine
from isoglot.mine.threshold import best_cut, cut_at

K = 4


@pytest.fixture(scope="module")
def sides():
    """Sources, of which 40 have a noisy translation among the targets, at a known place."""
    random = np.random.default_rng(0)
    sources, targets = random.normal(size=(60, 24)) + 0.7, random.normal(size=(50, 24)) + 0.7
    targets[:40] = sources[random.permutation(60)[:40]] + 1.6 * random.normal(size=(40, 24))
    return sources.astype(np.float32), targets.astype(np.float32)


@pytest.fixture(scope="module")
def found(sides):
    return nearest_both_ways(*sides, K)


def cosine(one, other):
    one, other = one.astype(float), other.astype(float)
    return sum(one * other) / (sum(one * one) ** 0.5 * sum(other * other) ** 0.5)


def loop_scores(sources, targets, margin):
    """Every pair by equation 1: the neighbours' cosines are summed up one by one."""
    cosines = [[cosine(x, y) for y in targets] for x in sources]
    scores = np.empty((len(sources), len(targets)))
    for i, j in itertools.product(range(len(sources)), range(len(targets))):
        around = sum(c / (2 * K) for c in sorted(cosines[i], reverse=True)[:K])
        around += sum(c / (2 * K) for c in sorted((row[j] for row in cosines), reverse=True)[:K])
        own = cosines[i][j]
        scores[i, j] = {"ratio": own / around, "distance": own - around, "absolute": own}[margin]
    return np.array(cosines), scores


def published_pairs(cosines, scores, retrieval):
    """The published mining tool's steps, in plain loops: the best of the k nearest by margin, then the strategy."""
    forward = {}
    for i, row in enumerate(cosines):
        near = sorted(range(len(row)), key=lambda j: -row[j])[:K]
        forward[i] = max(near, key=lambda j: scores[i, j])
    backward = {}
    for j, column in enumerate(cosines.T):
        near = sorted(range(len(column)), key=lambda i: -column[i])[:K]
        backward[j] = max(near, key=lambda i: scores[i, j])
    one, other = list(forward.items()), [(i, j) for j, i in backward.items()]
    if retrieval == "max-score":
        pairs, seen_sources, seen_targets = [], set(), set()
        for i, j in sorted(one + other, key=lambda pair: -scores[pair]):
            if i not in seen_sources and j not in seen_targets:
                seen_sources.add(i)
                seen_targets.add(j)
                pairs.append((i, j))
        return pairs
    chosen = {
        "forward": one,
        "backward": other,
        "intersection": [(i, j) for i, j in one if backward[j] == i],
    }[retrieval]
    return sorted(chosen, key=lambda pair: -scores[pair])


@pytest.mark.parametrize("margin", ["ratio", "distance", "absolute"])
@pytest.mark.parametrize("retrieval", ["forward", "backward", "intersection", "max-score"])
def test_mined_pairs_are_those_of_the_published_steps(sides, found, margin, retrieval):
    cosines, scores = loop_scores(*sides, margin)
    mined = mine(found, margin=margin, retrieval=retrieval)
    wanted = published_pairs(cosines, scores, retrieval)
    pairs = list(zip(mined.sources.tolist(), mined.targets.tolist(), strict=True))
    assert pairs == wanted and len(pairs) > 10
    assert np.abs(mined.scores - [scores[pair] for pair in pairs]).max() < 1e-6
    assert np.abs(mined.cosines - [cosines[pair] for pair in pairs]).max() < 1e-6


def test_strategies_and_margins_differ_on_this_data(found):
    """Else the test above could not tell them apart."""
    lists = {
        (margin, retrieval): tuple(mine(found, margin=margin, retrieval=retrieval).sources.tolist())
        for margin in ("ratio", "distance", "absolute")
        for retrieval in ("forward", "backward", "intersection", "max-score")
    }
    assert len(set(lists.values())) == len(lists)


def test_equal_scores_go_by_source_then_target():
    ones, ids = np.ones((3, 2), np.float32), np.tile(np.arange(2), (3, 1))
    mined = mine(BothWays((ones, ids), (ones, ids)), retrieval="max-score")
    assert list(zip(mined.sources.tolist(), mined.targets.tolist(), strict=True)) == [(0, 0)]
    every = mine(BothWays((ones, ids), (ones, ids)), retrieval="forward")
    assert every.sources.tolist() == [0, 1, 2] and every.targets.tolist() == [0, 0, 0]


def test_a_ratio_over_nothing_near_is_zero():
    cosines, nothing = np.array([0.5, -0.5]), np.array([0.0, -0.2])
    assert margin_scores(cosines, nothing, nothing).tolist() == [0.0, 0.0]
    assert margin_scores(cosines, nothing, nothing, "distance").tolist() == [0.5, -0.3]


def loop_cut(scores, right, gold, threshold):
    kept = [r for s, r in zip(scores, right, strict=True) if s >= threshold]
    if not sum(kept):
        return 0.0, 0.0, 0.0
    precision, recall = sum(kept) / len(kept), sum(kept) / gold
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_cut_is_the_best_of_all_thresholds(seed):
    random = np.random.default_rng(seed)
    scores = random.integers(0, 12, 40) / 8  # many ties
    right = random.random(40) < scores / 2
    cut = best_cut(scores, right, 30)
    every = [loop_cut(scores, right, 30, threshold)[2] for threshold in np.unique(scores)]
    assert cut.f1 == pytest.approx(max(every), abs=1e-12)
    assert (cut.precision, cut.recall, cut.f1) == pytest.approx(loop_cut(scores, right, 30, cut.threshold))
    assert cut == cut_at(scores, right, 30, cut.threshold)


def test_the_threshold_lies_between_the_scores():
    scores, right = np.array([1.5, 1.3, 1.2, 1.0]), np.array([True, True, False, False])
    assert best_cut(scores, right, 2).threshold == pytest.approx(1.25)
    assert best_cut(scores, np.ones(4, bool), 4).threshold == 1.0
    assert best_cut(scores, np.zeros(4, bool), 4).threshold == float("inf")
    assert best_cut(np.empty(0), np.empty(0, bool), 4).f1 == 0.0


def test_a_threshold_of_one_set_is_applied_to_another():
    cut = cut_at(np.array([2.0, 1.4, 1.1]), np.array([True, False, True]), 4, 1.2)
    assert (cut.precision, cut.recall) == (0.5, 0.25) and cut.f1 == pytest.approx(1 / 3)
    assert cut_at(np.array([1.0]), np.array([True]), 1, 3.0).f1 == 0.0
