"""Health of a space against plain loops written from the papers, and what must not change it."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew

from isoglot.evaluate.closeness import effective_rank, fit, mean_cosine
from isoglot.evaluate.health import SAMPLE, Sample, evenly, geometry, health_of, length_spans, name_of
from isoglot.evaluate.hubness import hubness, index_hubness, skewness


def space(seed, rows=60, width=12, spread=None):
    """Vectors that vary more along some directions than along others, around a mean that is not zero."""
    random = np.random.default_rng(seed)
    scales = np.linspace(0.2, 2, width) if spread is None else spread
    return (random.normal(size=(rows, width)) * scales + 0.3).astype(np.float32)


def rotation(seed, width=12):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def cosine(a, b):
    return float(a @ b) / math.sqrt(float(a @ a)) / math.sqrt(float(b @ b))


def plain_effective_rank(rows):
    singular = np.linalg.svd(rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0))[1]
    shares = [value / sum(singular) for value in singular]
    return math.exp(-sum(share * math.log(share) for share in shares if share > 1e-14))


def plain_occurrences(queries, documents, k, among_itself):
    counts = [0] * len(documents)
    for number, query in enumerate(queries.astype(np.float64)):
        others = [other for other in range(len(documents)) if not (among_itself and other == number)]
        order = sorted(others, key=lambda other: (-cosine(query, documents[other].astype(np.float64)), other))
        for other in order[:k]:
            counts[other] += 1
    return counts


def plain_geometry(rows, k=10):
    exact = rows.astype(np.float64)
    pairs = [cosine(a, b) for i, a in enumerate(exact) for j, b in enumerate(exact) if i != j]
    variances = np.linalg.svd(exact - exact.mean(axis=0))[1] ** 2
    return {
        "effective_rank": plain_effective_rank(rows),
        "first_component": max(variances) / sum(variances),
        "anisotropy": sum(pairs) / len(pairs),
        "hubness": float(skew(plain_occurrences(rows, rows, k, among_itself=True))),
    }


@pytest.mark.parametrize(("rows", "width"), [(60, 12), (30, 50)])
def test_geometry_equals_a_plain_loop(rows, width):
    vectors = space(3, rows, width)
    assert asdict(geometry(vectors)) == pytest.approx(plain_geometry(vectors), abs=1e-6)


def test_a_space_without_some_directions_has_no_rank_in_them():
    flat = space(0, 200, 12, np.r_[np.ones(3), np.zeros(9)])
    assert effective_rank(flat) == pytest.approx(plain_effective_rank(flat), abs=1e-6)
    assert 2.5 < effective_rank(flat) <= 3 + 1e-6
    assert effective_rank(np.ones((5, 4), np.float32)) == pytest.approx(1.0)
    assert effective_rank(space(0, 4, 300)) <= 3 + 1e-6


@given(st.integers(0, 10**6))
def test_rotating_and_scaling_a_space_changes_nothing(seed):
    vectors = space(seed).astype(np.float64)
    turned = 3.7 * vectors @ rotation(seed)
    assert asdict(geometry(turned)) == pytest.approx(asdict(geometry(vectors)), abs=1e-6)


@given(st.integers(0, 10**6))
def test_moving_a_space_changes_its_cosines_but_not_its_directions(seed):
    vectors = space(seed).astype(np.float64)
    moved = geometry(vectors + 10)
    assert moved.effective_rank == pytest.approx(geometry(vectors).effective_rank, abs=1e-6)
    assert moved.first_component == pytest.approx(geometry(vectors).first_component, abs=1e-6)
    assert moved.anisotropy > geometry(vectors).anisotropy + 0.3


@given(st.integers(0, 10**6))
def test_the_order_of_sentences_does_not_matter(seed):
    vectors = space(seed)
    shuffled = np.random.default_rng(seed).permutation(vectors)
    assert asdict(geometry(shuffled)) == pytest.approx(asdict(geometry(vectors)), abs=1e-6)


def test_a_collapsed_space_is_seen():
    healthy, collapsed = space(1, 200, 32), space(1, 200, 32, np.full(32, 0.01))
    assert geometry(collapsed).anisotropy > 0.99 > geometry(healthy).anisotropy
    thin = space(1, 200, 32, np.r_[3, np.full(31, 0.05)])
    assert geometry(thin).first_component > 0.9
    assert geometry(thin).effective_rank < 0.5 * geometry(healthy).effective_rank


def test_hubs_are_seen_and_an_even_space_has_none():
    ring = np.stack([np.cos(np.arange(40) * math.tau / 40), np.sin(np.arange(40) * math.tau / 40)], axis=1)
    assert hubness(ring.astype(np.float32), k=2) == 0.0
    high = space(0, 400, 200, np.ones(200)) + np.float32(0.7)
    low = space(0, 400, 3, np.ones(3)) + np.float32(0.7)
    assert hubness(high) > 2.0 > 0.5 > hubness(low)  # Radovanovic's finding: hubs come with dimensions
    queries, documents = space(5, 50), space(6, 40)
    attracting = documents.copy()
    attracting[:4] = 0.3
    expected = skew(plain_occurrences(queries, attracting, 4, among_itself=False))
    assert index_hubness(queries, attracting, k=4) == pytest.approx(expected, abs=1e-6)


def test_equal_vectors_go_to_the_lower_number():
    same = np.ones((6, 3), np.float32)
    assert plain_occurrences(same, same, 2, among_itself=True) == [5, 5, 2, 0, 0, 0]
    assert hubness(same, k=2) == pytest.approx(skew([5, 5, 2, 0, 0, 0]), abs=1e-6)
    assert hubness(same, k=6) is None
    assert index_hubness(same, same[:3], k=3) is None
    assert skewness(np.array([4, 4, 4])) == 0.0


def test_blocks_of_queries_change_no_count(monkeypatch):
    vectors = space(2, 50)
    whole = hubness(vectors)
    monkeypatch.setattr("isoglot.evaluate.hubness._BLOCK", 7)
    assert hubness(vectors) == whole


@given(st.integers(0, 10**6), st.integers(0, 60))
def test_fits_of_parts_add_up(seed, cut):
    vectors, targets = space(seed), space(seed + 1)
    whole = fit(vectors, targets)
    parts = fit(vectors[:cut], targets[:cut]) + fit(vectors[cut:], targets[cut:])
    assert parts.rows == whole.rows
    for name in ("mean_squared_error", "r_squared", "mean_cosine"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-9)
    plain = [
        cosine(v.astype(np.float64), t.astype(np.float64)) for v, t in zip(vectors, targets, strict=True)
    ]
    assert whole.mean_cosine == pytest.approx(sum(plain) / len(plain), abs=1e-6)


@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_closeness_survives_turning_both_spaces_and_knows_their_scale(seed, scale):
    vectors, targets = space(seed).astype(np.float64), space(seed + 1).astype(np.float64)
    turn = scale * rotation(seed)
    before, after = fit(vectors, targets), fit(vectors @ turn, targets @ turn)
    assert (after.r_squared, after.mean_cosine) == pytest.approx(
        (before.r_squared, before.mean_cosine), abs=1e-6
    )
    assert after.mean_squared_error == pytest.approx(scale**2 * before.mean_squared_error, rel=1e-6)
    assert fit(scale * vectors, targets).mean_cosine == pytest.approx(before.mean_cosine, abs=1e-6)


def test_lengths_double_up_to_what_the_teacher_cuts():
    assert length_spans(20) == [(1, 8), (9, 16), (17, 20), (21, None)]
    assert length_spans(8) == [(1, 8), (9, None)]
    assert length_spans(5) == [(1, 5), (6, None)]
    assert [name_of(span) for span in length_spans(20)][-2:] == ["17-20 tokens", "over 20 tokens"]


def sample(language, seed, rows=100, noise=0.1, first=0):
    random = np.random.default_rng(seed)
    targets = space(seed + 100, rows, 16)
    return Sample(
        language,
        (targets + noise * random.normal(size=targets.shape)).astype(np.float32),
        targets,
        np.arange(first, first + rows),
        random.integers(3, 40, rows),
    )


def row_of(health, language=None, length=None):
    return next(row for row in health.rows if (row.language, row.length) == (language, length))


def test_every_language_and_every_length_has_its_row():
    samples = [sample("de", 1), sample("tr", 2, noise=0.8, first=100)]
    health = health_of(samples, 16, "teacher")
    spans = ["1-8 tokens", "9-16 tokens", "over 16 tokens"]
    expected = [(None, None), ("de", None), ("tr", None), *((None, span) for span in spans)]
    expected += [(language, span) for span in spans for language in ("de", "tr")]
    assert [(row.language, row.length) for row in health.rows] == expected
    assert (health.limit, health.tokens_of) == (16, "teacher")
    for one in samples:
        row = row_of(health, one.language)
        assert row.mse == pytest.approx(np.square(one.vectors - one.targets).mean(), abs=1e-6)
        assert asdict(row.model) == pytest.approx(plain_geometry(one.vectors), abs=1e-6)
        assert asdict(row.teacher) == pytest.approx(plain_geometry(one.targets), abs=1e-6)
        hits = plain_occurrences(one.vectors, one.targets, 10, among_itself=False)
        assert row.index_hubness == pytest.approx(float(skew(hits)), abs=1e-6)
        inside = (one.tokens >= 9) & (one.tokens <= 16)
        part = row_of(health, one.language, "9-16 tokens")
        assert part.sentences == inside.sum()
        assert part.mse == pytest.approx(np.square(one.vectors - one.targets)[inside].mean(), abs=1e-6)
        assert part.model is None
    assert row_of(health, "tr").cosine < row_of(health, "de").cosine


def test_all_languages_together_are_all_their_sentences():
    samples = [sample("de", 1), sample("tr", 2, rows=70, first=100)]
    row = row_of(health_of(samples))
    vectors, targets = (
        np.concatenate([getattr(one, name) for one in samples]) for name in ("vectors", "targets")
    )
    whole = fit(vectors, targets)
    assert row.sentences == 170
    assert (row.mse, row.r2, row.cosine) == pytest.approx(
        (whole.mean_squared_error, whole.r_squared, whole.mean_cosine), abs=1e-9
    )
    assert asdict(row.model) == pytest.approx(plain_geometry(vectors), abs=1e-6)
    assert row_of(health_of(samples, 8, "teacher"), None, "over 8 tokens").sentences == sum(
        (one.tokens > 8).sum() for one in samples
    )


def test_many_sentences_are_drawn_evenly():
    assert evenly(5, 10).tolist() == [0, 1, 2, 3, 4]
    drawn = evenly(3 * SAMPLE, SAMPLE)
    assert len(drawn) == SAMPLE
    assert set(np.diff(drawn)) == {3}
    many = [sample("de", 1, rows=900), sample("tr", 2, rows=600, first=900)]
    vectors = np.concatenate([one.vectors for one in many])[evenly(1500, SAMPLE)]
    row = row_of(health_of(many))
    assert row.model.anisotropy == pytest.approx(mean_cosine(vectors), abs=1e-9)


def test_an_original_with_many_translations_counts_once_for_the_teacher():
    one = sample("de", 1)
    twice = Sample(
        "de", np.tile(one.vectors, (2, 1)), np.tile(one.targets, (2, 1)), np.tile(one.originals, 2)
    )
    assert row_of(health_of([twice]), "de").teacher == row_of(health_of([one]), "de").teacher
    assert row_of(health_of([twice]), "de").index_hubness == pytest.approx(
        row_of(health_of([one]), "de").index_hubness
    )


def test_what_cannot_be_measured_is_left_out():
    one = sample("de", 1)
    alone = row_of(health_of([Sample("de", one.vectors, None, one.originals)]), "de")
    assert (alone.mse, alone.cosine, alone.index_hubness, alone.teacher) == (None, None, None, None)
    assert alone.model is not None
    narrow = row_of(health_of([Sample("de", one.vectors[:, :8], one.targets, one.originals)]), "de")
    assert (narrow.mse, narrow.index_hubness) == (None, None)
    assert narrow.teacher is not None
    few = row_of(health_of([one.rows(np.arange(5))]), "de")
    assert few.r2 is None
    assert few.mse is not None
    assert few.model.hubness is None
    single = row_of(health_of([one.rows(np.arange(1))]), "de")
    assert single.model is None
    assert health_of([one.rows(np.arange(0))]).rows == ()
    assert health_of([one]).tokens_of is None
