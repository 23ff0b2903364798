"""Rows out of many mapped files in one step, as if the files lay one after another in memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW_BITS = 32  # a row number is: shard number << 32 | row of the shard
_ROW = (1 << ROW_BITS) - 1


def _empty() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass
class Gather:
    """Reads rows of equal width by number.

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
    _rows: NDArray[np.int64] = field(default_factory=_empty)  # of each shard, 0 until it is asked for
    _address: NDArray[np.int64] = field(default_factory=_empty)
    _lowest: int = 0
    _span: NDArray[Any] = field(default_factory=_empty)

    def __call__(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Copy rows: uint8 [len(numbers), width].

        Raises:
            KeyError: there is no such shard.
            IndexError: a shard has no such row.
        """
        if len(numbers) == 0:
            return np.zeros((0, self.width), np.uint8)
        places, rows = numbers >> ROW_BITS, numbers & _ROW
        if not self._holds(numbers, places, rows):
            self._map(np.unique(places).tolist())
            if not self._holds(numbers, places, rows):
                raise IndexError(f"A shard has no row {int(rows.max())}.")
        copied = self._span[self._address[places] + (rows * self.width - self._lowest)]
        result: NDArray[np.uint8] = copied.view(np.uint8).reshape(len(numbers), self.width)
        return result

    def _holds(self, numbers: NDArray[np.int64], places: NDArray[np.int64], rows: NDArray[np.int64]) -> bool:
        """Tell whether all numbers are of rows in shards that were asked for before."""
        if numbers.min() < 0:  # would count from the end of the table
            return False
        try:
            return not bool((rows >= self._rows[places]).any())
        except IndexError:  # a shard beyond the table
            return False

    def _map(self, places: list[int]) -> None:
        """Take in the shards that are new, and lay the array over all addresses."""
        more = max(0, places[-1] + 1 - len(self._rows))
        self._rows, self._address = np.pad(self._rows, (0, more)), np.pad(self._address, (0, more))
        for place in places:
            content = np.frombuffer(self.content(place), np.uint8)
            self._maps.append(content)
            self._rows[place], self._address[place] = len(content) // self.width, content.ctypes.data
        mapped = self._rows > 0
        self._lowest = int(self._address[mapped].min())
        length = int((self._address + self._rows * self.width)[mapped].max()) - self._lowest
        flat = np.ctypeslib.as_array((ctypes.c_uint8 * length).from_address(self._lowest))
        self._span = np.ndarray((length - self.width + 1,), f"V{self.width}", flat, 0, (1,))
