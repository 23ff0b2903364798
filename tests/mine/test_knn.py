"""Nearest neighbours against plain loops in float64, on ties, and on what a file maps."""

import numpy as np
import pytest

from isoglot.errors import RequestError
from isoglot.mine import knn
from isoglot.mine.best import Best, k_best
from isoglot.mine.knn import nearest, nearest_both_ways
from isoglot.mine.metric import exact_scores, prepare, rounding


def vectors(rows, dimension=12, seed=0, kind=np.float32):
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(kind)


def plain(queries, documents, k, metric):
    """The definition: float64, one pair at a time, rounded once; ties by lower number."""
    scores = np.empty((len(queries), len(documents)), np.float32)
    for row, query in enumerate(queries.astype(np.float64)):
        for column, document in enumerate(documents.astype(np.float64)):
            if metric == "l2":
                score = -((query - document) ** 2).sum()
            else:
                lengths = np.sqrt((query**2).sum()) * np.sqrt((document**2).sum())
                score = (query * document).sum()
                if metric == "cosine":
                    score = score / lengths if lengths else 0.0
            scores[row, column] = score
    ids = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, ids, axis=1), ids


@pytest.fixture
def small_blocks(monkeypatch):
    """Many blocks and strips of little data, none of a full size at the end."""
    monkeypatch.setattr(knn, "_STRIP", 64)
    monkeypatch.setattr(knn, "_QUERIES", 16)
    monkeypatch.setattr(knn, "_DOCUMENTS", 24)


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_neighbours_are_those_of_a_plain_loop(small_blocks, metric, kind):
    queries, documents = vectors(150, seed=1, kind=kind), vectors(130, seed=2, kind=kind)
    queries[3] = documents[5] = 0
    scores, ids = nearest(queries, documents, 5, metric=metric)
    wanted_scores, wanted_ids = plain(queries, documents, 5, metric)
    assert scores.dtype == np.float32 and ids.dtype == np.int64
    assert np.abs(scores - wanted_scores).max() < 1e-6
    assert (ids == wanted_ids).all()


def test_both_ways_are_each_way(small_blocks):
    queries, documents = vectors(150, seed=1), vectors(130, seed=2)
    found = nearest_both_ways(queries, documents, 4)
    for (scores, ids), (one, other) in (
        (found.forward, (queries, documents)),
        (found.backward, (documents, queries)),
    ):
        wanted = nearest(one, other, 4)
        assert (scores == wanted[0]).all() and (ids == wanted[1]).all()


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_equal_documents_go_by_their_number(small_blocks, metric):
    few = vectors(7, seed=3)
    documents = few[np.random.default_rng(4).integers(0, 7, 200)]
    scores, ids = nearest(vectors(40, seed=5), documents, 30, metric=metric)
    ties = scores[:, :-1] == scores[:, 1:]
    assert ties.mean() > 0.5 and (np.diff(ids, axis=1)[ties] > 0).all()
    assert (ids == plain(vectors(40, seed=5), documents, 30, metric)[1]).all()


def test_documents_that_are_all_alike_stay_bounded_and_in_order():
    documents = np.tile(vectors(1), (5000, 1))
    scores, ids = nearest(documents[:300], documents, 4)
    assert (ids == np.arange(4)).all() and scores.min() == 1
    assert (nearest(np.zeros((5, 12), np.float32), vectors(9000), 3)[1] == np.arange(3)).all()


def test_products_too_coarse_to_decide_do_not_decide():
    """Documents that differ by less than a float32 product can tell apart are ranked by float64."""
    random = np.random.default_rng(6)
    base = random.normal(size=384)
    documents = (base + 1e-6 * random.normal(size=(40, 384))).astype(np.float32)
    queries = (base + 0.5 * random.normal(size=(50, 384))).astype(np.float32)
    assert (nearest(queries, documents, 5)[1] == plain(queries, documents, 5, "cosine")[1]).all()


def test_mapped_files_give_the_same(tmp_path, small_blocks):
    queries, documents = vectors(70, seed=1, kind=np.float16), vectors(60, seed=2, kind=np.float16)
    for name, array in (("a", queries), ("b", documents)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ab"]
    wanted, found = nearest_both_ways(queries, documents, 3), nearest_both_ways(*mapped, 3)
    assert all(
        (one == other).all() for one, other in zip(wanted.forward, found.forward, strict=True)
    ) and all((one == other).all() for one, other in zip(wanted.backward, found.backward, strict=True))


def test_the_bound_of_rounding_holds_and_is_small():
    for metric, share in (("cosine", 3e-4), ("dot", 3e-4), ("l2", 2e-3)):
        asked, found = prepare(3 * vectors(50, 384, 1), 2 * vectors(60, 384, 2), metric)
        products = asked.block(0, 50) @ found.block(0, 60).T
        exact = asked.block(0, 50).astype(np.float64) @ found.block(0, 60).T.astype(np.float64)
        bound = rounding(asked, found)
        assert (np.abs(products - exact) <= bound[:, None]).all()
        assert bound.max() < share * np.abs(exact).max()


def test_progress_counts_every_query():
    class Counter:
        def __init__(self):
            self.done, self.total = 0.0, 0.0

        def task(self, label, total, unit):
            self.total = total
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def advance(self, amount=1.0):
            self.done += amount

    counter = Counter()
    nearest(vectors(3000), vectors(5000), 2, progress=counter)
    assert counter.total == 3000 and counter.done == pytest.approx(3000)


def test_no_candidate_is_lost_while_floors_rise():
    block = vectors(300, 700, 7)
    best = Best(3, np.zeros(300))
    for start in range(0, 700, 50):
        best.offer(np.ascontiguousarray(block[:, start : start + 50]), start, 0)
    rows, ids = best.candidates()
    assert (k_best(rows, ids, block[rows, ids], 3)[1] == np.argsort(-block, 1, "stable")[:, :3]).all()
    assert len(rows) < 1.2 * 3 * 300


@pytest.mark.parametrize(
    ("queries", "documents", "k", "said"),
    [
        (vectors(3), vectors(2), 3, "3 neighbours among 2 documents"),
        (vectors(3), vectors(2), 0, "0 neighbours"),
        (vectors(3, 4), vectors(3, 5), 1, "4 dimensions"),
        (vectors(3)[0], vectors(3), 1, r"A query is of float32 \[12\]"),
        (np.full((3, 12), np.nan, np.float32), vectors(3), 1, "query 0 holds NaN"),
        (vectors(3), np.full((3, 12), np.inf, np.float32), 1, r"document 0 holds NaN .*\(3 such"),
    ],
)
def test_what_cannot_be_searched_is_refused(queries, documents, k, said):
    with pytest.raises(RequestError, match=said):
        nearest(queries, documents, k)


def test_of_a_small_side_both_ways_give_all():
    found = nearest_both_ways(vectors(2), vectors(5), 3)
    assert found.forward[1].shape == (2, 3) and found.backward[1].shape == (5, 2)
    with pytest.raises(RequestError, match="among 0 queries"):
        nearest_both_ways(vectors(0), vectors(5), 3)


def test_exact_scores_do_not_depend_on_their_company():
    asked, found = prepare(vectors(40, 384, 1), vectors(50, 384, 2), "cosine")
    rows, ids = np.divmod(np.arange(2000), 50)
    alone = [exact_scores(asked, found, rows[i : i + 1], ids[i : i + 1])[0] for i in range(2000)]
    assert (exact_scores(asked, found, rows, ids) == np.array(alone)).all()
