"""Whose turn it is: tasks take turns in a stated ratio, spread as evenly as the ratio allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def turns(ratio: Mapping[T, int]) -> Iterator[T]:
    """Yield tasks without end: next is the one that is furthest behind its share, ties by their order in `ratio`.

    Every round of as many turns as `ratio` has in all gives each task its own number of them; on the way no task of
    two or three is a whole turn off its share.

    Args:
        ratio: task -> turns in a round, at least one of them positive.
    """
    total = sum(ratio.values())
    behind = dict.fromkeys(ratio, 0)
    while True:
        for task, share in ratio.items():
            behind[task] += share
        chosen = max(ratio, key=lambda task: behind[task])
        behind[chosen] -= total
        yield chosen
