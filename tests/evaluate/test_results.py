"""Entries of scores.json are read as strictly as they are written; differences are those of a plain loop."""

import json
from dataclasses import replace

import numpy as np
import pytest

from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.compare import adjusted, compare
from isoglot.evaluate.results import (
    Evaluation,
    macro,
    read_evaluation,
    results_of,
    to_json,
    worst,
    write_items,
)
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.statistics import of_samples, value


def score(languages, items, statistic="mean", metric="top-1", main=True, test_set="set"):
    signature = Signature("t", "p", "data", "model")
    return Score(
        test_set, languages, metric, value(statistic, items), (0.0, 1.0), main, signature, statistic, items
    )


def hits(n, share, seed=0):
    return (np.random.default_rng(seed).random((n, 1)) < share).astype(np.float32)


def written(folder, scores, model="m"):
    folder.mkdir()
    results = results_of("search", scores, lambda name: None)
    items = {result.key: one.items for result, one in zip(results, scores, strict=True)}
    digest = write_items(folder / "items.safetensors", items)
    raw = {"model": model, "tasks": [to_json(result) for result in results], "items": digest}
    (folder / "scores.json").write_text(json.dumps(raw))
    return read_evaluation(folder)


def test_what_is_written_is_read(tmp_path):
    scores = [
        score(("de", "en"), hits(50, 0.7)),
        score(("de", "en"), hits(60, 0.5)),
        score(("fr", "en"), hits(40, 0.9)),
    ]
    evaluation = written(tmp_path / "a", scores)
    results = results_of("search", scores, lambda name: None)
    assert list(evaluation.results.values()) == results
    assert [result.part for result in results] == [1, 2, 1]
    assert len(evaluation.results) == 3
    assert {found.dtype for found in evaluation.items().values()} == {np.dtype(np.float32)}
    assert np.array_equal(evaluation.items()[results[1].key], scores[1].items)


BAD = {
    "no value": ("value", None),
    "text for a value": ("value", "0.5"),
    "a truth value for a number": ("value", True),
    "not finite": ("value", float("nan")),
    "unknown statistic": ("statistic", "median"),
    "no main": ("main", 1),
    "negative n": ("n", -1),
    "n as float": ("n", 3.0),
    "part 0": ("part", 0),
    "languages as text": ("languages", "de"),
    "numbers as languages": ("languages", [1]),
    "metric": ("metric", 3),
    "half an interval": ("low", "x"),
    "contaminated": ("contaminated", "no"),
    "signature": ("signature", []),
    "unknown": ("surprise", 1),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_entry_that_was_changed_is_named(tmp_path, kind):
    field, content = BAD[kind]
    written(tmp_path / "a", [score(("de", "en"), hits(20, 0.5))])
    path = tmp_path / "a" / "scores.json"
    raw = json.loads(path.read_text())
    raw["tasks"][0][field] = content
    path.write_text(json.dumps(raw))
    with pytest.raises(DamagedError, match=rf"entry 0.*{field}"):
        read_evaluation(tmp_path / "a")
    del raw["tasks"][0][field]
    path.write_text(json.dumps(raw))
    if field != "surprise":
        with pytest.raises(DamagedError, match=f"{field} is missing"):
            read_evaluation(tmp_path / "a")


def test_a_signature_needs_all_its_parts(tmp_path):
    written(tmp_path / "a", [score(("de", "en"), hits(20, 0.5))])
    path = tmp_path / "a" / "scores.json"
    raw = json.loads(path.read_text())
    del raw["tasks"][0]["signature"]["data"]
    path.write_text(json.dumps(raw))
    with pytest.raises(DamagedError, match="signature: data is missing"):
        read_evaluation(tmp_path / "a")


def test_scores_of_a_run_of_older_versions_are_refused(tmp_path):
    (tmp_path / "scores.json").write_text('{"summary": "x"}')
    with pytest.raises(RequestError, match="lists no tasks"):
        read_evaluation(tmp_path)


def test_means_and_the_lowest():
    scores = [
        score((tag, "en"), hits(50, share, 1)) for tag, share in (("de", 0.9), ("fr", 0.2), ("tr", 0.6))
    ]
    other = score(("de", "en"), hits(50, 0.1), metric="other", main=False)
    results = results_of("search", [*scores, other], lambda name: True)
    assert macro(results)["search"]["set"]["top-1"] == pytest.approx(np.mean([one.value for one in scores]))
    assert worst(results)["search"]["set"] == {
        "languages": ["fr", "en"], "metric": "top-1", "value": scores[1].value,
    }  # fmt: skip
    assert all(one.contaminated for one in results)
    assert worst(results[:1]) == {}


def test_holm_is_the_published_procedure():
    """The definition, step by step: the i-th smallest of n is multiplied by n - i, and never falls."""
    p = [0.04, 0.001, 0.03, 0.5, 0.012]
    expected = [0.09, 0.005, 0.09, 0.5, 0.048]
    assert adjusted(p) == pytest.approx(expected)
    assert adjusted([0.7, 0.8]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("statistic", ["mean", "spearman", "f1", "v-measure"])
def test_of_samples_is_the_statistic_of_repeated_items(statistic):
    chance = np.random.default_rng(3)
    columns = {"mean": 1, "spearman": 2, "f1": 3, "v-measure": 2}[statistic]
    items = chance.integers(0, 2 if statistic != "spearman" else 9, (30, columns)).astype(np.float32)
    weights = chance.multinomial(30, np.full(30, 1 / 30), size=4)
    found = of_samples(statistic, items, weights)
    expected = [value(statistic, np.repeat(items, row, axis=0)) for row in weights]
    assert found == pytest.approx(expected)


def test_a_mean_over_translations_of_one_set_is_no_surer_than_one_of_them(tmp_path):
    """Four languages with the very same outcomes are one experiment, not four."""
    first, second = hits(200, 0.5, 1), hits(200, 0.6, 2)
    tags = ("de", "fr", "tr", "ja")
    pair = [
        written(tmp_path / name, [score((tag, "en"), items) for tag in tags], name)
        for name, items in (("a", first), ("b", second))
    ]
    mean, *rows = compare(*pair).rows
    assert mean.over == 4 and mean.languages == ()
    assert mean.high - mean.low == pytest.approx(rows[0].high - rows[0].low, rel=0.15)
    independent = [
        written(
            tmp_path / f"{name}2",
            [score((tag, "en"), hits(200, share, seed + 7 * k)) for k, tag in enumerate(tags)],
            name,
        )
        for name, share, seed in (("a", 0.5, 100), ("b", 0.6, 200))
    ]
    mean, *rows = compare(*independent).rows
    assert mean.high - mean.low == pytest.approx((rows[0].high - rows[0].low) / 2, rel=0.2)


def test_second_minus_first(tmp_path):
    low, high = (
        written(tmp_path / str(share), [score(("de", "en"), hits(300, share))], "m") for share in (0.2, 0.8)
    )
    [row] = compare(low, high).rows
    assert row.difference == pytest.approx(row.second - row.first) and row.difference > 0.4
    assert row.low > 0 and not row.noise


def test_other_numbers_of_items_are_refused(tmp_path):
    a = written(tmp_path / "a", [score(("de", "en"), hits(30, 0.5))])
    b = written(tmp_path / "b", [score(("de", "en"), hits(31, 0.5))])
    with pytest.raises(RequestError, match="items is 30 in the first evaluation and 31"):
        compare(a, b)


def test_known_contamination_of_either_side_is_shown(tmp_path):
    a = written(tmp_path / "a", [score(("de", "en"), hits(30, 0.5))])
    dirty = Evaluation(
        a.path, "b", {key: replace(result, contaminated=True) for key, result in a.results.items()}
    )
    assert [row.contaminated for row in compare(a, dirty).rows] == [True]
    assert [row.contaminated for row in compare(a, a).rows] == [False]
