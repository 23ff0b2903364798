"""Similarity tasks against scipy, and what language bias does to them."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from tests.corpus.benchmark_files import put
from tests.evaluate.references import cosine, random_space, space_of

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.errors import DamagedError
from isoglot.evaluate.bias import MixedIndex, PooledSimilarity, bias_tasks
from isoglot.evaluate.score import Score
from isoglot.evaluate.search import SearchTask, fixed_pool
from isoglot.evaluate.statistics import interval, paired_difference, value
from isoglot.evaluate.sts import SimilarityTask, similarity_tasks
from isoglot.evaluate.tasks import tasks_of

ROWS = 60


def stsb(folder, languages=("en", "de", "fr"), rows=ROWS, split="dev"):
    """One set whose row i is the same pair in every language."""
    gold = np.random.default_rng(0).integers(0, 26, rows) / 5
    for tag in languages:
        lines = [f"{score}\t{tag} {row} one\t{tag} {row} two\n" for row, score in enumerate(gold)]
        put(folder / "stsb" / f"{tag}-{split}.tsv", "score\tsentence1\tsentence2\n" + "".join(lines))
    return gold


def meaning_space(gold, languages, bias=0.0, noise=0.4):
    """Vectors whose cosine follows the score of a pair, whatever the languages; `bias` is a direction per language."""
    random = np.random.default_rng(1)
    first = random.normal(size=(len(gold), 24))
    share = (np.asarray(gold) / 5)[:, None]
    second = share * first + (1 - share) * random.normal(size=(len(gold), 24))
    vectors = {}
    for tag in languages:
        own = bias * random.normal(size=24)
        for row in range(len(gold)):
            vectors[f"{tag} {row} one"] = first[row] + own + noise * random.normal(size=24)
            vectors[f"{tag} {row} two"] = second[row] + own + noise * random.normal(size=24)
    return vectors


def by_metric(scores: list[Score]):
    return {score.metric: score for score in scores}


def test_correlations_of_cosines_equal_scipy_on_a_plain_loop(tmp_path):
    gold = stsb(tmp_path, ("en",))
    (task,) = similarity_tasks(open_benchmarks([tmp_path]))
    vectors = random_space(task.texts())
    scores = by_metric(task.measure(space_of(vectors), None))
    plain = [cosine(vectors[a], vectors[b]) for a, b in zip(task.first, task.second, strict=True)]
    assert scores["Spearman"].value == pytest.approx(spearmanr(plain, gold).statistic, abs=1e-6)
    assert scores["Pearson"].value == pytest.approx(pearsonr(plain, gold).statistic, abs=1e-6)
    assert scores["Spearman"].main
    assert not scores["Pearson"].main
    assert scores["Spearman"].interval == pytest.approx(
        interval("spearman", scores["Spearman"].items), abs=1e-5
    )
    assert str(scores["Spearman"].signature).startswith(f"STS|cosine|data:{task.digest[:12]}|model:model|")
    assert (scores["Spearman"].test_set, scores["Spearman"].languages) == ("stsb-dev", ("en", "en"))


def test_rows_that_are_one_pair_give_cross_lingual_sets(tmp_path):
    gold = stsb(tmp_path, ("en", "de"))
    crossed = [task for task in similarity_tasks(open_benchmarks([tmp_path])) if task.crossed]
    assert [task.languages for task in crossed] == [("de", "en"), ("en", "de")]
    assert (crossed[0].first[3], crossed[0].second[3]) == ("de 3 one", "en 3 two")
    assert (crossed[1].first[3], crossed[1].second[3]) == ("en 3 one", "de 3 two")
    vectors = meaning_space(gold, ("en", "de"))
    found = by_metric(crossed[0].measure(space_of(vectors), None))["Spearman, cross-lingual"]
    plain = [cosine(vectors[f"de {row} one"], vectors[f"en {row} two"]) for row in range(ROWS)]
    assert found.value == pytest.approx(spearmanr(plain, gold).statistic, abs=1e-6)
    assert "cross-lingual of parallel rows" in found.signature.protocol


def test_other_scores_are_other_pairs(tmp_path):
    stsb(tmp_path, ("en", "de"))
    put(tmp_path / "stsb" / "es-dev.tsv", "score\tsentence1\tsentence2\n1.0\tuno\tdos\n2.0\ttres\tcuatro\n")
    crossed = {task.languages for task in similarity_tasks(open_benchmarks([tmp_path])) if task.crossed}
    assert crossed == {("de", "en"), ("en", "de")}


def test_without_english_nothing_is_crossed(tmp_path):
    stsb(tmp_path, ("de", "fr"))
    assert not any(task.crossed for task in similarity_tasks(open_benchmarks([tmp_path])))


def test_training_splits_are_not_reported(tmp_path):
    stsb(tmp_path, ("en", "de"), split="train")
    stsb(tmp_path, ("en", "de"), split="test")
    assert {task.test_set for task in tasks_of(open_benchmarks([tmp_path]), ["sts"])} == {"stsb-test"}


def test_a_set_without_pairs_is_refused(tmp_path):
    put(tmp_path / "stsb" / "de-dev.tsv", "score\tsentence1\tsentence2\n")
    with pytest.raises(DamagedError, match="holds no pair"):
        similarity_tasks(open_benchmarks([tmp_path]))


def pooled_scores(folder, bias):
    gold = stsb(folder)
    (pooled,) = bias_tasks(similarity_tasks(open_benchmarks([folder])), [])
    assert isinstance(pooled, PooledSimilarity)
    vectors = meaning_space(gold, ("en", "de", "fr"), bias)
    return pooled, vectors, by_metric(pooled.measure(space_of(vectors), None))


def test_pooled_and_per_pair_spearman_equal_scipy(tmp_path):
    pooled, vectors, scores = pooled_scores(tmp_path, 0.5)
    plain = [
        [cosine(vectors[a], vectors[b]) for a, b in zip(one.first, one.second, strict=True)]
        for one in pooled.members
    ]
    golds = [one.gold for one in pooled.members]
    joint = spearmanr(np.concatenate(plain), np.concatenate(golds)).statistic
    own = np.mean([spearmanr(*pair).statistic for pair in zip(plain, golds, strict=True)])
    assert len(pooled.members) == 7
    assert scores["joint Spearman"].value == pytest.approx(joint, abs=1e-6)
    assert scores["mean per-pair Spearman"].value == pytest.approx(own, abs=1e-6)
    assert scores["joint minus per-pair Spearman"].value == pytest.approx(joint - own, abs=1e-6)
    assert [score.metric for score in scores.values() if score.main] == ["joint minus per-pair Spearman"]
    for score in scores.values():
        assert score.interval[0] < score.value < score.interval[1]
        assert score.value == pytest.approx(value(score.statistic, score.items), abs=1e-5)
        assert score.languages == ("de", "en", "fr")


def test_pooling_shows_a_bias_and_only_a_bias(tmp_path):
    _, _, without = pooled_scores(tmp_path / "without", 0.0)
    _, _, biased = pooled_scores(tmp_path / "biased", 1.5)
    assert abs(without["joint minus per-pair Spearman"].value) < 0.02
    assert biased["joint minus per-pair Spearman"].interval[1] < -0.05


def width(score):
    return score.interval[1] - score.interval[0]


def test_rows_of_parallel_sets_are_drawn_together(tmp_path):
    """Seven times the same rows are not seven times as much evidence."""
    pooled, vectors, scores = pooled_scores(tmp_path, 0.0)
    joint = scores["joint Spearman"]
    assert joint.items.shape == (ROWS, 8)
    pairs = np.concatenate([member.items(space_of(vectors)) for member in pooled.members])
    assert value("spearman", pairs) == pytest.approx(joint.value, abs=1e-9)
    alone = interval("spearman", pairs)
    assert width(joint) > 1.5 * (alone[1] - alone[0])


def different_pairs(bias, seed=3):
    """Two sets of pairs of their own, as in STS 2017, in a model that rates one of them higher: task, space."""
    random = np.random.default_rng(seed)
    members, vectors = [], {}
    for tag, own in (("ar", 0.0), ("es", bias)):
        first, second = [f"{tag} {n} one" for n in range(80)], [f"{tag} {n} two" for n in range(80)]
        gold = tuple(random.integers(0, 26, 80) / 5)
        members.append(SimilarityTask("sts17", (tag, tag), tuple(first), tuple(second), gold))
        vectors |= meaning_space(gold, (tag,), own)
    (pooled,) = bias_tasks(members, [])
    return pooled, space_of(vectors)


def test_sets_of_different_pairs_are_drawn_one_by_one():
    pooled, space = different_pairs(0.0)
    scores = by_metric(pooled.measure(space, None))
    joint = scores["joint Spearman"]
    assert joint.items.shape == (160, 3)
    assert np.isnan(joint.items[:80, 1]).all()
    assert np.isnan(joint.items[80:, 0]).all()
    pairs = np.concatenate([member.items(space) for member in pooled.members])
    alone = interval("spearman", pairs)
    assert width(joint) == pytest.approx(alone[1] - alone[0], rel=0.1)
    own = [spearmanr(*member.items(space).T).statistic for member in pooled.members]
    assert scores["mean per-pair Spearman"].value == pytest.approx(np.mean(own), abs=1e-9)


def test_two_models_with_the_same_bias_do_not_differ_and_others_do():
    (pooled, biased), (_, fair) = different_pairs(2.5), different_pairs(0.0)
    metric = "joint minus per-pair Spearman"
    one, other = (by_metric(pooled.measure(space, None))[metric] for space in (biased, fair))
    assert paired_difference(one.statistic, other.items, one.items).p < 0.01
    noisy = one.items.copy()
    noisy[:, :2] += 0.002 * np.random.default_rng(0).normal(size=(160, 2))
    assert paired_difference(one.statistic, noisy, one.items).p > 0.05


def mixed(languages=("de", "fr", "tr"), rows=40):
    """A search task per language, over the same English sentences."""
    targets = tuple(f"en {row}" for row in range(rows))
    pool = fixed_pool(targets, {})
    return [
        SearchTask("flores", (tag, "en"), tuple(f"{tag} {row}" for row in range(rows)), targets, pool)
        for tag in languages
    ]


def translations_space(languages, rows, bias):
    random = np.random.default_rng(2)
    meaning = random.normal(size=(rows, 12))
    return {
        f"{tag} {row}": meaning[row] + own + 0.1 * random.normal(size=12)
        for tag in languages
        for own in [bias * random.normal(size=12)]
        for row in range(rows)
    }


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_a_mixed_index_equals_a_plain_loop(bias):
    (task,) = bias_tasks([], mixed())
    assert isinstance(task, MixedIndex)
    vectors = translations_space(("de", "fr", "tr", "en"), 40, bias)
    scores = [score for score in task.measure(space_of(vectors), None) if score.languages == ("fr", "en")]
    texts = list(vectors)
    shares, nearer = [], []
    for row in range(40):
        near = sorted(
            (text for text in texts if text != f"fr {row}"),
            key=lambda text: -cosine(vectors[f"fr {row}"], vectors[text]),
        )
        shares.append(sum(text.startswith("fr ") for text in near[:10]) / 10)
        order = [text for text in near if text.startswith("fr ") or text == f"en {row}"]
        nearer.append(order[0] == f"en {row}")
    found = by_metric(scores)
    assert found["own language among 10 nearest"].value == pytest.approx(np.mean(shares), abs=1e-6)
    assert found["translation before own language"].value == pytest.approx(np.mean(nearer), abs=1e-6)
    assert found["translation before own language"].main
    assert not found["own language among 10 nearest"].main
    assert f"chance {39 / 159:.4f}" in scores[0].signature.protocol


def test_a_biased_model_prefers_its_own_language():
    (task,) = bias_tasks([], mixed())
    values = {}
    for bias in (0.0, 2.0):
        space = space_of(translations_space(("de", "fr", "tr", "en"), 40, bias))
        for metric, score in by_metric(task.measure(space, None)).items():
            values[metric, bias] = score.value
    assert values["translation before own language", 0.0] > 0.9
    assert values["translation before own language", 2.0] < 0.5
    assert values["own language among 10 nearest", 0.0] < 0.35
    assert values["own language among 10 nearest", 2.0] > 0.9


def test_a_mixed_index_takes_each_sentence_once_and_the_first_hundred():
    long, short = mixed(("de",), 300)[0], mixed(("fr",), 5)[0]
    doubled = SearchTask(
        "flores", ("tr", "en"), ("tr 0", "tr 0", "tr 1"), ("en 0", "en 7", "en 1"), short.pool
    )
    (task,) = bias_tasks([], [long, short, doubled])
    assert [len(side) for side in task.sources] == [100, 5, 2]
    assert task.targets[2] == ("en 0", "en 1")


def test_equal_vectors_do_not_push_the_query_into_its_own_neighbours():
    tasks = mixed(("de", "fr"), 30)
    (task,) = bias_tasks([], tasks)
    scores = task.measure(space_of({text: np.ones(4) for text in task.texts()}), None)
    assert all(0 <= score.value <= 1 for score in scores)
    share = [score for score in scores if score.metric.startswith("own")]
    assert all(score.items.shape == (30, 1) for score in share)


def test_one_combination_has_no_bias_to_measure(tmp_path):
    stsb(tmp_path, ("en",))
    assert bias_tasks(similarity_tasks(open_benchmarks([tmp_path])), mixed(("de",))) == []
