"""Metrics against scipy, scikit-learn and plain loops."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_squared_error as sklearn_mse
from sklearn.metrics import r2_score

from isoglot.evaluate.closeness import (
    effective_rank,
    mean_cosine,
    mean_squared_error,
    pair_spearman,
    r_squared,
)
from isoglot.evaluate.retrieval import gold_ranks, pair_cosines, top1_accuracy


@pytest.fixture(scope="module")
def vectors():
    random = np.random.default_rng(0)
    targets = random.normal(size=(80, 12)).astype(np.float32)
    return targets + 0.5 * random.normal(size=(80, 12)).astype(np.float32), targets


def test_error_and_r2_equal_scikit_learn(vectors):
    ours, theirs = vectors
    assert mean_squared_error(ours, theirs) == pytest.approx(sklearn_mse(theirs, ours), abs=1e-6)
    assert r_squared(ours, theirs) == pytest.approx(
        r2_score(theirs, ours, multioutput="variance_weighted"), abs=1e-6
    )
    constant = np.tile(theirs.mean(axis=0), (80, 1))
    assert r_squared(constant, theirs) == pytest.approx(0.0, abs=1e-6)
    assert r_squared(theirs, theirs) == 1.0


def test_retrieval_equals_a_plain_loop(vectors):
    queries, documents = vectors
    gold = np.random.default_rng(1).permutation(80)
    right, ranks = 0, []
    for query, answer in zip(queries, gold, strict=True):
        cosines = [float(query @ d / np.linalg.norm(query) / np.linalg.norm(d)) for d in documents]
        order = sorted(range(80), key=lambda number: -cosines[number])
        right += order[0] == answer
        ranks.append(order.index(answer) + 1)
    assert top1_accuracy(queries, documents, gold) == right / 80
    assert gold_ranks(queries, documents, gold).tolist() == ranks


def test_cosines_of_rows_are_exact_at_their_ends(vectors):
    ours, theirs = vectors
    expected = [
        float(
            a.astype(float)
            @ b.astype(float)
            / np.linalg.norm(a.astype(float))
            / np.linalg.norm(b.astype(float))
        )
        for a, b in zip(ours, theirs, strict=True)
    ]
    assert pair_cosines(ours, theirs) == pytest.approx(expected, abs=1e-12)
    assert (pair_cosines(ours, ours) == 1).all()
    assert (pair_cosines(ours, -ours) == -1).all()
    assert pair_cosines(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)) == 0


def test_pair_spearman_sees_what_retrieval_does_not(vectors):
    _, targets = vectors
    pairs = np.array([(a, b) for a in range(80) for b in range(a)])
    assert pair_spearman(targets, targets, pairs) == pytest.approx(1.0)
    assert pair_spearman(3 * targets, targets, pairs) == pytest.approx(1.0, abs=1e-4)
    cosines = (targets @ targets.T) / np.outer(*[np.linalg.norm(targets, axis=1)] * 2)
    bent = targets * np.linspace(0.1, 4, 12, dtype=np.float32)
    other = (bent @ bent.T) / np.outer(*[np.linalg.norm(bent, axis=1)] * 2)
    left, right = pairs[:, 0], pairs[:, 1]
    expected = spearmanr(cosines[left, right], other[left, right]).statistic
    assert pair_spearman(bent, targets, pairs) == pytest.approx(expected, abs=1e-4)


def test_effective_rank_counts_directions():
    random = np.random.default_rng(0)
    plane = random.normal(size=(500, 3)) @ random.normal(size=(3, 20))
    assert 2.0 < effective_rank(plane) <= 3.0 + 1e-6
    assert effective_rank(random.normal(size=(5000, 20))) > 19.5


def test_mean_cosine_equals_a_plain_loop(vectors):
    rows = vectors[0]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values = [float(unit[a] @ unit[b]) for a in range(80) for b in range(80) if a != b]
    assert mean_cosine(rows) == pytest.approx(np.mean(values), abs=1e-6)
