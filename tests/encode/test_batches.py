import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isoglot.encode.batches import by_length, padding_share


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
