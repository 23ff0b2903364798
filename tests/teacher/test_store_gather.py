"""Rows out of many maps: the same bytes as slicing each, and never a byte outside them."""

import mmap
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoglot.teacher.store_gather import ROW_BITS, Gather


def filled(rows, width, seed):
    """A map of pages somewhere in memory."""
    content = mmap.mmap(-1, max(1, rows * width))
    content[:] = np.random.default_rng(seed).bytes(len(content))
    return memoryview(content)[: rows * width]


@given(
    st.integers(1, 40),
    st.dictionaries(st.integers(0, 30), st.integers(1, 20), min_size=1, max_size=8),
    st.data(),
)
def test_rows_are_those_of_their_shards(width, counts, data):
    shards = {number: filled(rows, width, number) for number, rows in counts.items()}
    gather = Gather(shards.__getitem__, width)
    pairs = [(number, row) for number, rows in counts.items() for row in range(rows)]
    for _ in range(3):
        asked = data.draw(st.lists(st.sampled_from(pairs), max_size=20))
        numbers = np.array([(number << ROW_BITS) + row for number, row in asked], np.int64)
        expected = b"".join(bytes(shards[number][row * width : (row + 1) * width]) for number, row in asked)
        found = gather(numbers)
        assert found.shape == (len(asked), width)
        assert found.tobytes() == expected
    found[:] = 0  # a copy: the shards stay as they are
    assert any(any(shard) for shard in shards.values())


@pytest.mark.parametrize(
    "number", [-1, 3, (2 << ROW_BITS) + 5, (1 << ROW_BITS) + 9, (9 << ROW_BITS), -(1 << 40)]
)
@pytest.mark.parametrize("before", [[], [(1 << ROW_BITS) + 4]])
def test_a_number_of_no_row_is_refused(number, before):
    shards = {1: filled(5, 7, 0), 2: filled(5, 7, 1)}
    gather = Gather(shards.__getitem__, 7)
    gather(np.array(before, np.int64))
    with pytest.raises(LookupError):
        gather(np.array([1 << ROW_BITS, number], np.int64))
    assert len(gather(np.array([2 << ROW_BITS], np.int64))) == 1


def test_a_thread_may_read_while_another_takes_shards_in():
    shards = {0: filled(5, 7, 0), 1: filled(5, 7, 1)}
    wanted, read = np.array([3], np.int64), []

    def content(place):
        if place == 1:  # shard 0 was taken in a moment ago, the array over both is still to come
            reader.start()
            reader.join(0.3)
        return shards[place]

    gather = Gather(content, 7)
    reader = threading.Thread(target=lambda: read.append(gather(wanted).tobytes()))
    gather(np.array([0, 1 << ROW_BITS], np.int64))
    reader.join()
    assert read == [bytes(shards[0][21:28])]
