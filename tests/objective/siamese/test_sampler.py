"""Batches of the trainer: every pair once in an epoch, so many in a batch, beside pairs of its length."""

import numpy as np
import pytest

from isoglot.objective.batching import WINDOW_BATCHES, sized_batches
from isoglot.objective.siamese.sampler import row_lengths, similar_lengths

SIZE = 16
LENGTHS = np.random.default_rng(0).integers(5, 200, 40 * SIZE + 5)


def padded(batches):
    """Longest row times rows, of all batches."""
    return sum(int(LENGTHS[batch].max()) * len(batch) for batch in batches)


def test_sized_batches_hold_every_row_once_and_little_padding():
    batches = list(sized_batches(LENGTHS, SIZE, (0, 0)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(LENGTHS)))
    assert sorted(map(len, batches)) == [5, *[SIZE] * 40]
    in_order = np.split(np.arange(len(LENGTHS)), range(SIZE, len(LENGTHS), SIZE))
    assert padded(in_order) > 1.6 * LENGTHS.sum() and padded(batches) < 1.1 * LENGTHS.sum()


def test_a_batch_is_of_one_window_and_the_batches_of_a_window_are_in_random_order():
    batches = list(sized_batches(LENGTHS, SIZE, (0, 0)))
    for number, batch in enumerate(batches):
        assert {row // (WINDOW_BATCHES * SIZE) for row in batch.tolist()} == {number // WINDOW_BATCHES}
    longest = [int(LENGTHS[batch].max()) for batch in batches[:WINDOW_BATCHES]]
    assert longest != sorted(longest)


def test_a_row_is_as_long_as_its_first_sentence():
    table = {"sentence1": ["ab", "c"], "sentence2": ["def", ""], "label": [0, 2]}
    assert row_lengths(table).tolist() == [2, 1]


@pytest.mark.slow
def test_the_trainer_s_batches_depend_on_seed_and_epoch():
    def rows(seed, epoch):
        sampler = similar_lengths(LENGTHS)([], batch_size=SIZE, drop_last=False, seed=seed)
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert sorted(row for batch in batches for row in batch) == list(range(len(LENGTHS)))
        assert padded(batches) < 1.1 * LENGTHS.sum()
        return batches

    assert rows(0, 0) == rows(0, 0)
    assert rows(0, 0) != rows(0, 1)
    assert rows(0, 0) != rows(1, 0)
