"""Similarity search against plain loops; the fixed pool, and what it is for."""

import numpy as np
import pytest
from tests.corpus.benchmark_files import laser, put
from tests.evaluate.references import random_space, space_of, top1

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.split import key
from isoglot.errors import DamagedError
from isoglot.evaluate.search import fixed_pool, search_tasks


def tables(folder, sizes):
    for tag, size in sizes.items():
        rows = "".join(f"{tag} {row}\tEnglish {tag} {row}\n" for row in range(size))
        put(folder / "tatoeba-v1" / f"{tag}.tsv", "source\ttarget\n" + rows)
    return search_tasks(open_benchmarks([folder]))


def near_translations(task, noise=1.2, seed=0):
    """Vectors in which a translation is often but not always nearest."""
    random = np.random.default_rng(seed)
    vectors = random_space(task.texts(), 12, seed)
    for source, target in zip(task.sources, task.targets, strict=True):
        vectors[source] = vectors[target] + noise * random.normal(size=12)
    return vectors


def by_metric(scores):
    return {score.metric: score for score in scores}


def test_both_directions_equal_a_plain_loop(tmp_path):
    (task,) = tables(tmp_path, {"de": 90})
    vectors, rows = near_translations(task), range(90)
    scores = by_metric(task.measure(space_of(vectors), None))
    sources = np.array([vectors[text] for text in task.sources])
    targets = np.array([vectors[text] for text in task.targets])
    assert scores["top-1 x->en"].value == pytest.approx(top1(sources, targets, rows), abs=1e-6)
    assert scores["top-1 en->x"].value == pytest.approx(top1(targets, sources, rows), abs=1e-6)
    assert 0.3 < scores["top-1 x->en"].value < 0.95
    assert scores["top-1 x->en"].value != scores["top-1 en->x"].value
    assert [score.metric for score in scores.values() if score.main] == ["top-1 x->en"]
    assert scores["top-1 x->en"].items.shape == (90, 1)
    assert scores["top-1 x->en"].signature.protocol == "cosine top-1, x->en, published pool 90"


def test_with_a_teacher_the_students_sentences_search_its_english(tmp_path):
    (task,) = tables(tmp_path, {"de": 50})
    student, teacher = near_translations(task), near_translations(task, seed=1)
    assert set(task.teacher_texts()) == {*task.targets, *task.pool.texts}
    teacher = {text: teacher[text] for text in task.teacher_texts()}
    scores = by_metric(task.measure(space_of(student), space_of(teacher, "teacher")))
    sources = np.array([student[text] for text in task.sources])
    targets = np.array([teacher[text] for text in task.targets])
    found = scores["top-1 x->teacher en"]
    assert found.value == pytest.approx(top1(sources, targets, range(50)), abs=1e-6)
    assert scores["top-1 teacher en->x"].value == pytest.approx(top1(targets, sources, range(50)), abs=1e-6)
    assert (found.signature.model, found.signature.index) == ("model", "teacher")
    assert scores["top-1 x->en"].signature.index == ""
    assert len(scores) == 6


def test_a_teacher_of_another_dimension_is_not_searched(tmp_path):
    (task,) = tables(tmp_path, {"de": 20})
    teacher = random_space(task.teacher_texts(), 5)
    scores = by_metric(task.measure(space_of(near_translations(task)), space_of(teacher)))
    assert set(scores) == {"top-1 x->en", "top-1 en->x", "top-1 x->en, fixed pool"}


def test_every_language_has_a_pool_of_one_size(tmp_path):
    tasks = tables(tmp_path, {"de": 1200, "fr": 30, "tr": 400})
    by_tag = {task.languages[0]: task.pool for task in tasks}
    assert {tag: len(pool.texts) for tag, pool in by_tag.items()} == {"de": 1000, "fr": 1000, "tr": 1000}
    assert {tag: len(pool.rows) for tag, pool in by_tag.items()} == {"de": 1000, "fr": 30, "tr": 400}
    for task in tasks:
        assert len({key(text) for text in task.pool.texts}) == 1000
        for row, gold in zip(task.pool.rows, task.pool.gold, strict=True):
            assert task.pool.texts[gold] == task.targets[row]
    distractors = [set(by_tag[tag].texts[len(by_tag[tag].rows) :]) for tag in ("fr", "tr")]
    assert len(distractors[0] & distractors[1]) > 300  # the same ones as far as possible


def test_the_fixed_pool_is_harder_for_a_small_language_and_equals_a_plain_loop(tmp_path):
    tasks = {task.languages[0]: task for task in tables(tmp_path, {"de": 1100, "fr": 40})}
    vectors = near_translations(tasks["de"]) | near_translations(tasks["fr"], seed=1)
    vectors |= random_space([text for text in tasks["fr"].pool.texts if "de" in text], 12, 5)
    scores = by_metric(tasks["fr"].measure(space_of(vectors), None))
    sources = np.array([vectors[text] for text in tasks["fr"].sources])
    pool = np.array([vectors[text] for text in tasks["fr"].pool.texts])
    found = scores["top-1 x->en, fixed pool"]
    assert found.value == pytest.approx(top1(sources, pool, tasks["fr"].pool.gold), abs=1e-6)
    assert found.value < scores["top-1 x->en"].value
    assert found.signature.task == "similarity search, fixed pool"
    assert found.signature.protocol.endswith("fixed pool 1000")
    assert not found.main


def test_rows_of_one_english_text_have_one_answer():
    pool = fixed_pool(["Tom left.", "tom  left", "I see.", "!", "?"], {}, 10)
    assert pool.texts == ("Tom left.", "I see.", "!", "?")
    assert (pool.rows, pool.gold) == ((0, 1, 2, 3, 4), (0, 0, 1, 2, 3))


def test_a_pool_that_is_full_leaves_rows_out():
    pool = fixed_pool(["a", "b", "c", "a"], {"z": "z"}, 2)
    assert (pool.texts, pool.rows, pool.gold) == (("a", "b"), (0, 1, 3), (0, 1, 0))


def test_the_layout_of_laser_gives_the_same_task_as_a_table(tmp_path):
    laser(tmp_path / "laser")
    put(tmp_path / "tatoeba-v1" / "deu.tsv", "source\ttarget\nHallo.\tHello.\nGute Nacht!\tGood night!\n")
    put(tmp_path / "tatoeba-v1" / "cmn.tsv", "source\ttarget\n你好。\tHello.\n")
    published, table = (
        sorted(search_tasks(open_benchmarks([tmp_path / name])), key=lambda task: task.languages)
        for name in ("laser", "tatoeba-v1")
    )
    assert published == table
    vectors = random_space([text for task in table for text in task.texts()])
    for one, other in zip(published, table, strict=True):
        both = [task.measure(space_of(vectors), None) for task in (one, other)]
        assert [score.signature for score in both[0]] == [score.signature for score in both[1]]


def test_a_set_without_sentences_is_refused(tmp_path):
    put(tmp_path / "tatoeba-v1" / "deu.tsv", "source\ttarget\n")
    with pytest.raises(DamagedError, match="holds no sentence"):
        search_tasks(open_benchmarks([tmp_path]))
