"""Clustering against scikit-learn, and the choice of tasks."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import v_measure_score
from tests.corpus.benchmark_files import laser, put, tables
from tests.evaluate.references import space_of
from threadpoolctl import threadpool_limits

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.clustering import clustering_tasks, k_means
from isoglot.evaluate.tasks import TASKS, tasks_of

LABELS = ("art", "food", "sport")


def topics(folder, languages, labels=LABELS, rows=60):
    for tag in languages:
        lines = [f"{labels[row % len(labels)]}\t{tag} {row}\n" for row in range(rows)]
        put(folder / "topics" / f"{tag}-test.tsv", "label\tsentence\n" + "".join(lines))


def topic_space(languages, bias=0.0, noise=0.9, rows=60):
    random = np.random.default_rng(0)
    centre = random.normal(size=(3, 8))
    return {
        f"{tag} {row}": centre[row % 3] + own + noise * random.normal(size=8)
        for tag in languages
        for own in [bias * random.normal(size=8)]
        for row in range(rows)
    }


def test_the_v_measure_is_that_of_scikit_learn_on_the_same_clusters(tmp_path):
    topics(tmp_path, ("de",))
    (task,) = clustering_tasks(open_benchmarks([tmp_path]))
    vectors = topic_space(("de",))
    (score,) = task.measure(space_of(vectors), None)
    rows = np.array([vectors[text] for text in task.sentences])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    clusters = KMeans(3, n_init=10, random_state=0).fit_predict(rows)
    assert score.value == pytest.approx(v_measure_score(task.labels, clusters), abs=1e-6)
    assert 0.2 < score.value < 1
    assert (score.languages, score.metric, score.main) == (("de",), "V-measure", True)
    assert score.interval[0] < score.value < score.interval[1]
    assert score.signature.protocol == "k-means of unit vectors, 3 clusters, 10 starts"


def test_languages_with_the_same_classes_are_also_pooled(tmp_path):
    topics(tmp_path, ("de", "fr"))
    topics(tmp_path, ("tr",), ("ev", "su"))
    tasks = clustering_tasks(open_benchmarks([tmp_path]))
    assert [task.languages for task in tasks] == [("de",), ("fr",), ("tr",), ("de", "fr")]
    pooled = tasks[-1]
    assert len(pooled.sentences) == 120
    values = {}
    for bias in (0.0, 5.0):
        space = space_of(topic_space(("de", "fr"), bias, noise=0.2))
        (score,) = pooled.measure(space, None)
        values[bias] = score.value
        assert (score.metric, score.main) == ("V-measure, languages pooled", False)
        assert tasks[0].measure(space, None)[0].value > 0.9
    assert values[0.0] > 0.9 > 0.6 > values[5.0]  # a model that keeps languages apart clusters languages


def test_clusters_are_the_same_every_time_and_with_any_number_of_threads():
    vectors = np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32)
    first = k_means(vectors, 7)
    assert first.shape == (400,)
    for threads in (1, 2):
        with threadpool_limits(threads):
            assert k_means(vectors, 7).tolist() == first.tolist()
    assert k_means(3 * vectors, 7).tolist() == first.tolist()  # the direction counts alone


def test_a_model_that_has_one_vector_for_everything_has_no_clusters(tmp_path):
    topics(tmp_path, ("de",))
    (task,) = clustering_tasks(open_benchmarks([tmp_path]))
    (score,) = task.measure(space_of(dict.fromkeys(task.texts(), np.ones(4))), None)
    assert score.value == 0.0


def test_a_set_of_one_class_is_refused(tmp_path):
    topics(tmp_path, ("de",), ("all",))
    with pytest.raises(DamagedError, match="fewer than two classes"):
        clustering_tasks(open_benchmarks([tmp_path]))


def test_tasks_are_those_that_are_wanted_and_have_test_sets(tmp_path):
    tables(tmp_path)
    laser(tmp_path)
    topics(tmp_path, ("de",))
    put(tmp_path / "stsb" / "fr-dev.tsv", "score\tsentence1\tsentence2\n1\ta\tb\n")
    benchmarks = [one for one in open_benchmarks([tmp_path]) if one.files[0].file.name != "deu.tsv.gz"]
    tasks = tasks_of(benchmarks, TASKS)
    assert {task.name for task in tasks} == set(TASKS)
    assert [TASKS.index(task.name) for task in tasks] == sorted(TASKS.index(task.name) for task in tasks)
    for name in TASKS:
        chosen = tasks_of(benchmarks, [name])
        assert [(one.test_set, one.languages) for one in chosen] == [
            (one.test_set, one.languages) for one in tasks if one.name == name
        ]
    assert tasks_of(benchmarks, []) == []


def test_every_score_has_a_key_of_its_own(tmp_path):
    laser(tmp_path)
    topics(tmp_path, ("de", "fr"))
    tasks = tasks_of(open_benchmarks([tmp_path]), TASKS)
    random = np.random.default_rng(0)
    vectors = {text: random.normal(size=6) for task in tasks for text in task.texts()}
    space = space_of(vectors)
    keys = [
        (task.name, score.test_set, score.languages, score.metric)
        for task in tasks
        for score in task.measure(space, space)
    ]
    assert len(set(keys)) == len(keys) > 10


def test_unknown_tasks_and_one_set_twice_are_refused(tmp_path):
    with pytest.raises(RequestError, match=r"no task 'stss'\. Choose from sts, search"):
        tasks_of([], ["stss"])
    laser(tmp_path)
    tables(tmp_path)
    with pytest.raises(RequestError, match="both hold tatoeba-v1 in de and en"):
        tasks_of(open_benchmarks([tmp_path]), ["search"])
