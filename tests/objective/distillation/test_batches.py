import dataclasses

import numpy as np
import pytest

from isoglot.config import TrainConfig
from isoglot.encode.batches import padding_share
from isoglot.encode.tokens import Tokens
from isoglot.objective.distillation.batches import epoch, language_shares, visits
from isoglot.objective.distillation.examples import Examples
from isoglot.train.warm_start import choose_rows

SIZES = (900, 300, 60)  # translations per language


@pytest.fixture(scope="module")
def examples():
    """1 000 sources; three languages that hold the first 900, 300 and 60 of them."""
    random = np.random.default_rng(0)
    group = np.concatenate([np.arange(1000), *(np.arange(size) for size in SIZES)]).astype(np.int32)
    language = np.concatenate([np.full(1000, -1), *(np.full(size, i) for i, size in enumerate(SIZES))])
    lengths = random.integers(3, 30, len(group))
    offsets = np.r_[0, np.cumsum(lengths)]
    tokens = Tokens(random.integers(0, 50, offsets[-1]).astype(np.int32), offsets, pad_id=0)
    vectors = random.normal(size=(1000, 4)).astype(np.float32)
    return Examples(
        texts=[""] * len(group), tokens=tokens, group=group, language=language.astype(np.int16), vectors=vectors,
        languages=("a", "b", "c"),
    )  # fmt: skip


def test_an_epoch_visits_every_group_once_with_the_weight_of_its_translations(examples):
    rows, weights = visits(examples, TrainConfig(targets_per_group=2), (0, 0))
    assert len(np.unique(rows)) == len(rows)
    sources = rows < 1000
    assert sorted(rows[sources]) == list(range(900))  # the last hundred have no translation
    drawn = np.bincount(examples.group[rows[~sources]], minlength=1000)
    assert drawn.max() == 2
    assert np.array_equal(weights[sources], drawn[rows[sources]])
    assert (weights[~sources] == 1).all()


def test_a_source_has_the_sum_of_the_weights_of_its_drawn_translations(examples):
    own = np.array([2.0, 3.0, 5.0], np.float32)[examples.language[1000:]]
    weighted = dataclasses.replace(examples, weight=own)
    rows, weights = visits(weighted, TrainConfig(targets_per_group=2), (0, 0))
    drawn = rows[rows >= 1000]
    assert np.array_equal(rows, visits(examples, TrainConfig(targets_per_group=2), (0, 0))[0])
    assert np.array_equal(weights[rows >= 1000], own[drawn - 1000])
    sums = np.bincount(examples.group[drawn], weights=own[drawn - 1000], minlength=1000)
    assert np.array_equal(weights[rows < 1000], sums[rows[rows < 1000]])


def test_without_the_source_term_only_translations_are_left(examples):
    rows, weights = visits(examples, TrainConfig(source_term=False), (0, 0))
    assert rows.min() >= 1000
    assert (weights == 1).all()


def test_batches_are_reproducible_shuffled_and_tight(examples):
    config = TrainConfig(batch_tokens=512)
    first = [batch.rows for batch in epoch(examples, config, 7, 3)]
    again = [batch.rows for batch in epoch(examples, config, 7, 3)]
    other = [batch.rows for batch in epoch(examples, config, 7, 4)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert len(np.unique(np.concatenate(first))) == len(np.concatenate(first))
    assert padding_share(examples.tokens.lengths, first) < 0.05
    lengths = [examples.tokens.lengths[batch].mean() for batch in first]
    assert np.abs(np.diff(lengths)).mean() > 2  # long and short ones come mixed, not in order


def test_a_lower_temperature_draws_the_small_language_more_often(examples):
    def drawn_of_smallest(temperature):
        config = TrainConfig(targets_per_group=1, temperature=temperature)
        rows = [visits(examples, config, (0, number))[0] for number in range(20)]
        return np.mean([(examples.language[row] == 2).sum() for row in rows])

    assert drawn_of_smallest(1.0) < 25 < 35 < drawn_of_smallest(0.0)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_shares_shown_before_training_are_those_of_the_first_epoch(examples, temperature):
    config = TrainConfig(targets_per_group=2, temperature=temperature)
    shown = language_shares(examples, config, seed=5)
    rows = np.concatenate([batch.rows for batch in epoch(examples, config, 5, 0)])
    seen = np.bincount(examples.language[rows[rows >= examples.sources]], minlength=3)
    assert list(shown) == ["a", "b", "c"]
    assert np.allclose(list(shown.values()), seen / seen.sum())


def test_the_regression_takes_every_language_in_equal_shares(examples):
    rows = choose_rows(examples, 400, seed=0)
    counts = [int((examples.language[rows] == code).sum()) for code in (-1, 0, 1, 2)]
    assert counts[3] == 60  # all there are; what it lacks goes to the others
    assert sum(counts) == 400
    assert max(counts[:3]) - min(counts[:3]) <= 1
    assert len(choose_rows(examples, 10**6, seed=0)) == len(examples.group)


def test_padding_is_measured_over_whole_rectangles():
    batch = dataclasses.replace(Tokens(np.zeros(6, np.int32), np.array([0, 4, 6]), 0))
    assert padding_share(batch.lengths, [np.array([0, 1])]) == pytest.approx(2 / 8)


def test_batches_of_so_many_sentences_hold_a_source_beside_its_translation(examples):
    """64 pairs are 128 sentences, in random order, whatever their lengths."""
    config = TrainConfig(targets_per_group=1, temperature=1.0, batch_sentences=128, batch_tokens=16)
    batches = [batch.rows for batch in epoch(examples, config, 7, 3)]
    assert [len(batch) for batch in batches[:-1]] == [128] * (len(batches) - 1)
    whole = np.concatenate(batches)
    assert sorted(whole) == sorted(visits(examples, config, (7, 3))[0])
    for batch in batches:
        assert (
            np.bincount(examples.group[batch], minlength=1000)[np.unique(examples.group[batch])] == 2
        ).all()
    assert not np.array_equal(whole, np.concatenate([batch.rows for batch in epoch(examples, config, 7, 4)]))


def test_every_translation_of_a_pair_counts_like_in_a_loss_over_pairs(examples):
    """As many draws as there are languages: the mean over an epoch is the paper's mean over all pairs."""
    config = TrainConfig(targets_per_group=3, temperature=1.0, batch_sentences=128)
    batches = list(epoch(examples, config, 0, 0))
    rows = np.concatenate([batch.rows for batch in batches])
    weights = np.concatenate([batch.weights for batch in batches])
    assert (rows >= 1000).sum() == sum(SIZES)
    assert weights[rows < 1000].sum() == weights[rows >= 1000].sum() == sum(SIZES)
