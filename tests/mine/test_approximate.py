"""Approximate search: taken when exact search takes too long, and its recall is measured and told."""

import importlib.util
import json

import numpy as np
import pytest

from isoglot.mine.approximate import exact_minutes
from isoglot.mine.knn import nearest_both_ways
from mine.two_sides import write_vectors

pytest.importorskip("faiss")
WIDTH, PAIRS = 24, 1500


@pytest.fixture(scope="module")
def sides():
    random = np.random.default_rng(5)
    middles = 1.5 * random.normal(size=(40, WIDTH))
    german = middles[random.integers(0, 40, PAIRS)] + random.normal(size=(PAIRS, WIDTH))
    english = german + 0.4 * random.normal(size=(PAIRS, WIDTH))
    return german.round(4), english.round(4)


@pytest.fixture
def large(mining, sides):
    """1500 sentences on each side, in a model of vectors."""
    texts = [[f"{name} {number}" for number in range(PAIRS)] for name in ("satz", "sentence")]
    both = zip([*texts[0], *texts[1]], np.concatenate(sides), strict=True)
    write_vectors(mining.folder / "model.jsonl", dict(both))
    mining.write("news.de", texts[0])
    mining.write("news.en", texts[1])
    return mining


def ids(rows, side):
    return [int(row[side].split()[1]) for row in rows]


def test_what_would_take_longer_is_searched_approximately_and_says_its_recall(large, sides):
    exact, every = large.mine("--max-minutes", "60")
    assert exact["search"]["kind"] == "exact" and exact["search"]["recall"] == [1.0, 1.0]
    assert 0 < exact["search"]["exact_minutes"] < 60
    found, rows = large.mine("--max-minutes", "0.000001")
    assert found["search"]["kind"] == "approximate" and found["search"]["cells"] == ["1 of 38"] * 2
    assert 0.2 < found["search"]["recall"][0] < 1
    whole = nearest_both_ways(*sides, 4)
    near = [{*row} for row in whole.forward[1].tolist()]
    right = np.mean(
        [
            target in near[source]
            for source, target in zip(ids(rows, "source"), ids(rows, "target"), strict=True)
        ]
    )
    assert right > 0.9 and rows != every  # what it finds is scored as exact search scores it
    shared = {(row["source"], row["target"]): row["cosine"] for row in every}
    assert all(row["cosine"] == shared.get((row["source"], row["target"]), row["cosine"]) for row in rows)


def test_recall_is_printed_and_a_second_run_goes_on_with_the_same_index(large):
    command = ("mine", "news.de", "news.en", "--model", "model.jsonl", "--max-minutes", "0.000001")
    first = large.run(*command)
    assert first.exit_code == 0, first.stderr
    assert "recall of the exact neighbours, on a sample: 0." in first.stdout
    assert "1 of 38 cells" in first.stderr and "of the exact neighbours of 500 sentences" in first.stderr
    made = {path: path.stat().st_mtime_ns for path in large.folder.rglob("*.faiss")}
    table = (large.folder / "pairs.tsv").read_bytes()
    assert len(made) == 2 and large.run(*command).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert (large.folder / "pairs.tsv").read_bytes() == table


def test_other_sources_are_not_answered_from_old_blocks(large):
    limit = ("--max-minutes", "0.000001")
    _, before = large.mine(*limit)
    large.write("news.de", [f"satz {number}" for number in range(700, PAIRS)])
    found, rows = large.mine(*limit)
    assert found["sources"]["sentences"] == PAIRS - 700 and rows != before
    assert min(ids(rows, "source")) >= 700


def test_recall_rises_with_the_cells_that_there_is_time_for(large, monkeypatch):
    from isoglot.mine import approximate

    hasty = large.mine("--max-minutes", "0.000001")[0]["search"]
    monkeypatch.setattr(approximate, "exact_minutes", lambda *_: 99.0)
    patient = large.mine("--max-minutes", "5")[0]["search"]
    assert patient["exact_minutes"] == 99.0 and patient["kind"] == "approximate"
    assert min(patient["recall"]) >= 0.99 > max(hasty["recall"])


def test_without_faiss_the_limit_is_refused_with_what_to_do(large, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "faiss" else found(name))
    done = large.run(
        "mine", "news.de", "news.en", "--model", "model.jsonl", "--max-minutes", "0.000001", "--json"
    )
    assert done.exit_code == 2
    assert "pip install 'isoglot[faiss]'" in json.loads(done.stdout)["error"]["next_step"]


def test_the_estimate_grows_with_both_sides():
    small = np.ones((400, 8), np.float32)
    once = exact_minutes(small, small)
    large = np.broadcast_to(small[:1], (4_000_000, 8))
    assert exact_minutes(large, large) > 100 * once > 0
