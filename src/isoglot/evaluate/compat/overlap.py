"""How much two lists of hits share."""

from __future__ import annotations

from collections.abc import Sequence


def overlap(wanted: Sequence[str], found: Sequence[str], k: int = 10) -> float:
    """Share of the first `k` of `wanted` that are among the first `k` of `found`, 0..1.

    Args:
        wanted: what the teacher finds, best first, without repeats; at least one.
        found: what the student finds.
        k: hits that count.
    """
    first = set(wanted[:k])
    return len(first & set(found[:k])) / len(first)
