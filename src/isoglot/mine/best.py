"""The running k best candidates of many rows, fed with blocks of scores.

Almost every score of a block is below its row's k-th best so far, so one comparison with that floor discards
it and nothing is sorted but the few that remain. The floor lies below the k-th best by what rounding may hide.
"""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

_WORD = 8  # truth values in one machine word
_SAMPLE = 512  # scores of the first block that give the first floor
_SPARE = 64  # near ties kept beside the k best until exact scores decide
_PENDING_PER_ROW = 16  # new candidates at which they are sorted and the floor is raised


class Best:
    """Candidates of `rows` rows that may be among their k best. Several threads may offer blocks in any order.

    Args:
        k: how many are wanted of each row.
        slack: float64 [rows]; a candidate so far below the k-th best score may still be better in truth.
    """

    def __init__(self, k: int, slack: NDArray[np.float64]) -> None:
        self.rows = len(slack)
        self._k = k
        self._slack = slack.astype(np.float32)
        self._floor = np.full(len(slack), -np.inf, np.float32)
        self._sorted = _Candidates.none()
        self._pending: list[_Candidates] = []
        self._lock = Lock()

    def offer(self, block: NDArray[np.float32], first_id: int, axis: int) -> None:
        """Take what may be among the best out of a block of scores.

        Args:
            block: float32; rows are its axis `axis`, candidates with ids from `first_id` the other one.
            first_id: id of the first candidate.
            axis: 0 or 1.
        """
        if not len(self._sorted.rows) and not self._pending:
            self._first_floor(block, axis)
        places = _reaching(block, self._floor[:, None] if axis == 0 else self._floor)
        numbers = np.divmod(places, block.shape[1])
        found = _Candidates(numbers[axis], numbers[1 - axis] + first_id, block.ravel()[places])
        with self._lock:
            self._pending.append(found)
            if sum(len(one.rows) for one in self._pending) > _PENDING_PER_ROW * self.rows:
                self._sort()

    def sort(self) -> None:
        """Sort the candidates, raise the floors, and forget what is below them."""
        with self._lock:
            self._sort()

    def _sort(self) -> None:
        every = _Candidates.joined([self._sorted, *self._pending])
        order = np.lexsort((every.ids, -every.scores, every.rows))
        every = every.chosen(order)
        starts = np.searchsorted(every.rows, np.arange(len(self._floor) + 1))
        full = np.flatnonzero(np.diff(starts) >= self._k)
        self._floor[full] = every.scores[starts[full] + self._k - 1] - self._slack[full]
        rank = np.arange(len(every.rows)) - starts[every.rows]
        self._sorted = every.chosen((every.scores >= self._floor[every.rows]) & (rank < self._k + _SPARE))
        self._pending = []

    def candidates(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and ids of what may be among the k best, at least k of every row (of all that were offered)."""
        self.sort()
        return self._sorted.rows, self._sorted.ids

    def _first_floor(self, block: NDArray[np.float32], axis: int) -> None:
        sample = block[:, :_SAMPLE] if axis == 0 else block[:_SAMPLE].T
        if sample.shape[1] >= self._k:
            place = sample.shape[1] - self._k
            self._floor = np.partition(sample, place, axis=1)[:, place] - self._slack


def _reaching(block: NDArray[np.float32], floor: NDArray[np.float32]) -> NDArray[np.int64]:
    """Places in the flattened block whose score reaches the floor, ascending; eight at a time are passed over."""
    reached = (block >= floor).reshape(-1)
    whole = len(reached) // _WORD * _WORD
    words = np.flatnonzero(reached[:whole].view(np.uint64) != 0)
    rows, columns = np.nonzero(reached[:whole].reshape(-1, _WORD)[words])
    places: NDArray[np.int64] = np.append(
        words[rows] * _WORD + columns, whole + np.flatnonzero(reached[whole:])
    )
    return places


class _Candidates:
    """Rows, ids and scores of candidates, [c] each."""

    def __init__(self, rows: NDArray[np.int64], ids: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        self.rows, self.ids, self.scores = rows, ids, scores

    @classmethod
    def none(cls) -> _Candidates:
        """No candidates."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))

    @classmethod
    def joined(cls, parts: list[_Candidates]) -> _Candidates:
        """Candidates one after another."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def chosen(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> _Candidates:
        """Some of them, in the order of `which`."""
        return _Candidates(self.rows[which], self.ids[which], self.scores[which])


def k_best(
    rows: NDArray[np.int64], ids: NDArray[np.int64], scores: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Sort candidates and cut each row after its k best, ties by lower id.

    Args:
        rows: int64 [c], from 0 without a gap; at least `k` of each.
        ids: int64 [c].
        scores: float32 [c].
        k: how many.

    Returns:
        Scores float32 [n, k], best first, and ids int64 [n, k].
    """
    order = np.lexsort((ids, -scores, rows))
    starts = np.flatnonzero(np.diff(rows[order], prepend=-1))
    chosen = order[starts[:, None] + np.arange(k)]
    return scores[chosen], ids[chosen]


def best_of(
    one: tuple[NDArray[np.float32], NDArray[np.int64]],
    other: tuple[NDArray[np.float32], NDArray[np.int64]],
    k: int,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Merge neighbours of n rows found in two parts; all ids of `other` are above those of `one`.

    Args:
        one: scores float32 [n, a] and ids int64 [n, a], best first, ties by lower id.
        other: the same, [n, b].
        k: how many stay, or a + b of them where there are no more.
    """
    scores, ids = np.hstack([one[0], other[0]]), np.hstack([one[1], other[1]])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)
