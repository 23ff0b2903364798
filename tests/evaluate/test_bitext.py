"""Bitext mining against LASER's published formula, written as a plain loop."""

import numpy as np
import pytest
from tests.corpus.benchmark_files import put
from tests.evaluate.references import (
    best_threshold,
    laser_pairs,
    precision_recall_f1,
    random_space,
    space_of,
)

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.errors import DamagedError
from isoglot.evaluate.bitext import mining_tasks

BUCC = "bucc2018/de-en/de-en.{}"


def bucc(folder, splits=("training", "test"), lines=80, pairs=20):
    """Two sides with `pairs` translations, line i of the one and line i + 7 of the other."""
    for split in splits:
        stem = BUCC.format(split)
        put(folder / f"{stem}.de", "".join(f"de-{n}\t{split} deutsch {n}\n" for n in range(lines)))
        put(folder / f"{stem}.en", "".join(f"en-{n}\t{split} english {n}\n" for n in range(lines + 30)))
        put(folder / f"{stem}.gold", "".join(f"de-{n}\ten-{n + 7}\n" for n in range(pairs)))


def vectors_of(splits=("training", "test"), lines=80, pairs=20, noise=0.75, seed=0):
    texts = [
        f"{split} {side} {n}"
        for split in splits
        for side in ("deutsch", "english")
        for n in range(lines + 30)
    ]
    vectors = random_space(texts, 16, seed)
    random = np.random.default_rng(seed)
    for split in splits:
        for n in range(pairs):
            near = vectors[f"{split} english {n + 7}"] + noise * random.normal(size=16)
            vectors[f"{split} deutsch {n}"] = near.astype(np.float32)
    return vectors


def reference(bitext, vectors, threshold=None):
    first, second = (np.array([vectors[text] for text in side]) for side in (bitext.first, bitext.second))
    pairs = laser_pairs(first, second)
    found = best_threshold(pairs, bitext.gold) if threshold is None else threshold
    return found, precision_recall_f1(pairs, bitext.gold, found)


def values(task, vectors):
    scores = task.measure(space_of(vectors), None)
    by_metric = {score.metric: score.value for score in scores}
    return scores, [
        next(v for m, v in by_metric.items() if name in m) for name in ("precision", "recall", "F1")
    ]


def test_mining_equals_the_formula_of_laser_with_the_threshold_of_another_split(tmp_path):
    bucc(tmp_path)
    (task,) = mining_tasks(open_benchmarks([tmp_path]))
    assert (task.test_set, task.languages, task.training.split) == ("bucc2018-test", ("de", "en"), "training")
    vectors = vectors_of()
    scores, found = values(task, vectors)
    threshold, _ = reference(task.training, vectors)
    _, expected = reference(task.test, vectors, threshold)
    assert found == pytest.approx(expected, abs=1e-6)
    assert 0.3 < expected[2] < 1
    assert [score.metric for score in scores] == ["margin F1", "margin precision", "margin recall"]
    assert [score.main for score in scores] == [True, False, False]
    assert scores[0].signature.protocol.endswith("threshold of training")
    _, best = reference(task.test, vectors)
    assert best[2] > expected[2]  # so this test would see a threshold learnt from the test itself


def test_a_single_split_is_cut_where_it_suits_it_best_and_says_so(tmp_path):
    bucc(tmp_path, ("sample",))
    (task,) = mining_tasks(open_benchmarks([tmp_path]))
    vectors = vectors_of(("sample",))
    scores, found = values(task, vectors)
    assert found == pytest.approx(reference(task.test, vectors)[1], abs=1e-6)
    assert all(score.metric.endswith(" at the best threshold") for score in scores)
    assert "threshold best on the test itself" in scores[0].signature.protocol


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (("training", "test"), {("test", "training")}),
        (("sample", "training", "test"), {("sample", "training"), ("test", "training")}),
        (("sample", "test"), {("test", "sample")}),
        (("training",), {("training", None)}),
    ],
)
def test_which_split_gives_the_threshold(tmp_path, splits, expected):
    bucc(tmp_path, splits)
    tasks = mining_tasks(open_benchmarks([tmp_path]))
    assert {(task.test.split, task.training and task.training.split) for task in tasks} == expected
    for task in tasks:
        needed = {*task.test.first, *task.test.second}
        needed |= {*task.training.first, *task.training.second} if task.training else set()
        assert set(task.texts()) == needed


def test_a_split_without_gold_pairs_is_not_mined(tmp_path):
    bucc(tmp_path)
    (tmp_path / f"{BUCC.format('test')}.gold").unlink()
    (task,) = mining_tasks(open_benchmarks([tmp_path]))
    assert (task.test.split, task.training) == ("training", None)


def test_lines_of_one_text_are_one_candidate(tmp_path):
    stem = tmp_path / BUCC.format("sample")
    put(stem.with_name(stem.name + ".de"), "de-1\tHallo\nde-2\tHallo\nde-3\tTor\n")
    put(stem.with_name(stem.name + ".en"), "en-1\tHello\nen-2\tGate\n")
    put(stem.with_name(stem.name + ".gold"), "de-2\ten-1\nde-1\ten-1\n")
    (task,) = mining_tasks(open_benchmarks([tmp_path]))
    assert (task.test.first, task.test.gold) == (("Hallo", "Tor"), {(0, 0)})
    vectors = {"Hallo": [1, 0], "Hello": [1, 0.1], "Tor": [0, 1], "Gate": [1, 1]}
    scores = task.measure(space_of({text: np.array(v) for text, v in vectors.items()}), None)
    assert scores[0].value == 1.0
    assert scores[0].items.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_items_of_two_models_stand_for_the_same_sentences(tmp_path):
    bucc(tmp_path)
    (task,) = mining_tasks(open_benchmarks([tmp_path]))
    one, other = (task.measure(space_of(vectors_of(seed=seed)), None)[0] for seed in (0, 1))
    assert one.items.shape == other.items.shape == (80, 3)
    assert one.items[:, 1].tolist() == other.items[:, 1].tolist() == [1.0] * 20 + [0.0] * 60


def test_gold_pairs_of_unknown_lines_and_none_at_all_are_refused(tmp_path):
    bucc(tmp_path, ("sample",))
    gold = tmp_path / f"{BUCC.format('sample')}.gold"
    gold.write_text("de-1\ten-999\n")
    with pytest.raises(DamagedError, match=r"names en-999, which .*sample\.en does not have"):
        mining_tasks(open_benchmarks([tmp_path]))
    gold.write_text("")
    with pytest.raises(DamagedError, match="holds no gold pair"):
        mining_tasks(open_benchmarks([tmp_path]))
