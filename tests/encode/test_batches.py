import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isoglot.encode.batches import by_length, least_padding, padding_share


@given(st.lists(st.integers(1, 300), min_size=1, max_size=200), st.integers(16, 2048))
def test_every_row_once_within_the_budget(lengths, budget):
    array = np.array(lengths)
    batches = by_length(array, budget)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * array[batch].max() <= budget


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200))
def test_batches_are_a_function_of_the_lengths(lengths):
    first, second = (by_length(np.array(lengths), 256) for _ in range(2))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in second]


def test_sorting_removes_nearly_all_padding():
    lengths = np.random.default_rng(0).integers(3, 40, 5000)
    unsorted = [np.arange(start, min(start + 64, 5000)) for start in range(0, 5000, 64)]
    assert padding_share(lengths, by_length(lengths, 2048)) < 0.03 < 0.3 < padding_share(lengths, unsorted)


@given(st.lists(st.integers(0, 300), max_size=200), st.integers(16, 2048), st.integers(0, 400))
def test_batches_of_least_padding_hold_every_row_once_within_the_budget(lengths, budget, cost):
    array = np.array(lengths, np.int64)
    batches = least_padding(array, budget, cost)
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * array[batch].max() <= budget


@given(st.lists(st.integers(1, 40), min_size=1, max_size=9), st.integers(1, 120), st.integers(0, 60))
def test_no_other_cut_costs_less(lengths, budget, cost):
    array = np.sort(np.array(lengths))[::-1]
    costs = []
    for places in itertools.product((False, True), repeat=len(lengths) - 1):
        parts = np.split(array, np.flatnonzero(places) + 1)
        if all(len(part) == 1 or len(part) * part[0] <= budget for part in parts):
            costs.append(sum(len(part) * part[0] + cost for part in parts))
    found = least_padding(array, budget, cost)
    assert sum(len(batch) * array[batch].max() + cost for batch in found) == min(costs)


def test_dear_batches_are_full_and_cheap_ones_hold_no_padding():
    lengths = np.random.default_rng(0).integers(3, 40, 300)
    assert len(least_padding(lengths, 1024, 10_000)) == len(by_length(lengths, 1024))
    assert padding_share(lengths, least_padding(lengths, 1024, 0)) == 0
