"""Batches of several tasks: every pair once, in the ratio asked for, the same whenever an epoch is asked for."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from tests.objective.ranking import samples

from isoglot.config import TrainConfig
from isoglot.errors import RequestError
from isoglot.objective.ranking.batches import epoch, with_data
from isoglot.objective.ranking.texts import read_responses
from isoglot.objective.ranking.turns import turns

CONFIG = TrainConfig(epochs=1, batch_tokens=128)
EQUAL = {"translation": 1, "nli": 1, "responses": 1}


@pytest.mark.parametrize("ratio", [(1, 1, 1), (5, 2, 1), (7, 3, 3), (1, 0, 4), (2, 1, 0), (97, 1, 2)])
def test_over_1000_batches_tasks_have_the_ratio_asked_for(ratio):
    shares = dict(zip(("translation", "nli", "responses"), ratio, strict=True))
    counts = Counter()
    for done, task in enumerate(itertools.islice(turns(shares), 1000), start=1):
        counts[task] += 1
        for name, share in shares.items():
            assert abs(counts[name] - Fraction(done * share, sum(ratio))) < 1
    assert sum(counts.values()) == 1000


@pytest.mark.parametrize("ratio", [{"translation": 3, "nli": 2, "responses": 1}, EQUAL])
def test_real_batches_of_an_epoch_keep_the_ratio(tiny_folder, ratio):
    _, texts = samples.material(tiny_folder, sources=700, nli=23, answers=11)
    config = TrainConfig(epochs=1, batch_tokens=16)
    batches = list(itertools.islice(epoch(texts, config, (0, 0), ratio), 1000))
    assert len(batches) == 1000
    counts = Counter(batch.task for batch in batches)
    for task, share in ratio.items():
        assert abs(counts[task] - 1000 * share / sum(ratio.values())) < 1


def test_an_epoch_is_a_function_of_its_number(tiny_folder):
    _, texts = samples.material(tiny_folder, nli=20, answers=20)

    def rows(seed, number):
        return [(batch.task, *batch.rows.tolist()) for batch in epoch(texts, CONFIG, (seed, number), EQUAL)]

    assert rows(0, 0) == rows(0, 0)
    assert rows(0, 0) != rows(0, 1)
    assert rows(0, 0) != rows(1, 0)


def test_every_drawn_translation_comes_once_with_its_own_source(tiny_folder):
    weight = np.linspace(0.5, 2, 120).astype(np.float32)
    _, texts = samples.material(tiny_folder, weight=weight)
    batches = list(epoch(texts, CONFIG, (0, 0), EQUAL))
    targets = np.concatenate([batch.second for batch in batches])
    assert sorted(targets.tolist()) == list(range(60, 180))
    for batch in batches:
        assert batch.task == "translation"
        assert np.array_equal(batch.first, texts.group[batch.second])
        assert np.array_equal(batch.weights, weight[batch.second - 60])
    one = TrainConfig(epochs=1, batch_tokens=128, targets_per_group=1)
    drawn = np.concatenate([batch.first for batch in epoch(texts, one, (0, 0), EQUAL)])
    assert sorted(drawn.tolist()) == list(range(60))


def test_a_batch_keeps_to_its_budget_with_hard_negatives(tiny_folder):
    _, texts = samples.material(tiny_folder)
    negatives = np.full((120, 2), -1)
    negatives[:, 0] = 60 + (np.arange(120) + 8) % 120
    for batch in epoch(texts, CONFIG, (0, 0), EQUAL, negatives):
        asked = negatives[batch.second - 60, 0]
        assert set(batch.negatives.tolist()) == set(asked.tolist())
        assert texts.tokens.lengths[np.concatenate([batch.first, batch.second, asked])].sum() <= 128


def test_other_tasks_go_through_all_their_pairs_before_one_comes_again(tiny_folder):
    _, texts = samples.material(tiny_folder, sources=200, nli=20)
    batches = [batch for batch in epoch(texts, CONFIG, (0, 0), EQUAL) if batch.task == "nli"]
    seen = Counter()
    for batch in batches:
        seen.update(batch.first.tolist())
        assert np.array_equal(batch.second, batch.first + 20)
        assert np.array_equal(batch.labels, texts.nli.labels[batch.first - texts.nli.first[0]])
        assert max(seen.values()) - min(seen[row] for row in texts.nli.first.tolist()) <= 1
    assert len(seen) == 20


def test_tasks_without_data_or_turn_have_no_batches(tiny_folder):
    _, texts = samples.material(tiny_folder, nli=5)
    assert with_data(texts, EQUAL) == {"translation": 1, "nli": 1}
    assert with_data(texts, {"translation": 2, "nli": 0}) == {"translation": 2}


def test_answers_are_read_with_and_without_a_head(tmp_path):
    path = tmp_path / "answers.tsv"
    path.write_text("question\tanswer\nwho?\tme\n \tnobody\nwhere?\there\tand more\n")
    assert read_responses(path) == [("who?", "me"), ("where?", "here")]
    path.write_text("who?\tme\n")
    assert read_responses(path) == [("who?", "me")]
    path.write_text("question\tanswer\n")
    with pytest.raises(RequestError, match="no question"):
        read_responses(path)
    with pytest.raises(RequestError, match="is no file"):
        read_responses(tmp_path / "none.tsv")
