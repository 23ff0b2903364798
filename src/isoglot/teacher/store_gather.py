"""Rows out of many mapped files in one step, as if the files lay one after another in memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW_BITS = 32  # a row number is: shard number << 32 | row of the shard
_ROW = (1 << ROW_BITS) - 1


@dataclass(frozen=True)
class _Layout:
    """Where the rows of the shards that were asked for lie.

    Attributes:
        rows: int64 [shards], of each shard, 0 until it is asked for.
        address: int64 [shards], of its first row.
        lowest: the address at which `span` begins.
        span: an element of `width` bytes at every byte from the first map to the last.
    """

    rows: NDArray[np.int64]
    address: NDArray[np.int64]
    lowest: int
    span: NDArray[Any]

    def holds(self, numbers: NDArray[np.int64], places: NDArray[np.int64], rows: NDArray[np.int64]) -> bool:
        """Tell whether all numbers are of rows in shards that were asked for before."""
        if numbers.min() < 0:  # would count from the end of the table
            return False
        try:
            return not bool((rows >= self.rows[places]).any())
        except IndexError:  # a shard beyond the table
            return False


def _nothing() -> _Layout:
    empty = np.zeros(0, np.int64)
    return _Layout(empty, empty, 0, empty)


@dataclass
class Gather:
    """Reads rows of equal width by number; threads may read at the same time.

    NumPy's indexing gathers from one array only. So one array is laid over the addresses from the first map to the
    last, in which a row is an element that begins at some byte. What lies between the maps is never touched: every
    number is compared with the rows of its shard before it becomes an address.

    Attributes:
        content: gives the bytes of a shard's rows by the shard's number; raises KeyError for a number that is none.
        width: bytes of a row.
    """

    content: Callable[[int], memoryview]
    width: int
    _maps: list[NDArray[np.uint8]] = field(default_factory=list)  # held, so that they stay where they are
    _layout: _Layout = field(default_factory=_nothing)  # replaced as a whole: a reader never sees half of one
    _mapping: Lock = field(default_factory=Lock)

    def __call__(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Copy rows: uint8 [len(numbers), width].

        Raises:
            KeyError: there is no such shard.
            IndexError: a shard has no such row.
        """
        if len(numbers) == 0:
            return np.zeros((0, self.width), np.uint8)
        places, rows = numbers >> ROW_BITS, numbers & _ROW
        layout = self._layout
        if not layout.holds(numbers, places, rows):
            layout = self._map(np.unique(places).tolist())
            if not layout.holds(numbers, places, rows):
                raise IndexError(f"A shard has no row {int(rows.max())}.")
        copied = layout.span[layout.address[places] + (rows * self.width - layout.lowest)]
        result: NDArray[np.uint8] = copied.view(np.uint8).reshape(len(numbers), self.width)
        return result

    def _map(self, places: list[int]) -> _Layout:
        """Take in shards, and lay the array over all addresses."""
        with self._mapping:
            more = max(0, places[-1] + 1 - len(self._layout.rows))
            rows, address = np.pad(self._layout.rows, (0, more)), np.pad(self._layout.address, (0, more))
            for place in places:
                content = np.frombuffer(self.content(place), np.uint8)
                self._maps.append(content)
                rows[place], address[place] = len(content) // self.width, content.ctypes.data
            mapped = rows > 0
            lowest = int(address[mapped].min())
            length = int((address + rows * self.width)[mapped].max()) - lowest
            flat = np.ctypeslib.as_array((ctypes.c_uint8 * length).from_address(lowest))
            span = np.ndarray((length - self.width + 1,), f"V{self.width}", flat, 0, (1,))
            self._layout = _Layout(rows, address, lowest, span)
            return self._layout
