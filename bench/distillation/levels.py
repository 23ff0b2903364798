"""From curves to times and ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Reached(NamedTuple):
    """When a level was reached; `missed`: not within these seconds."""

    seconds: float
    missed: bool = False

    def __str__(self) -> str:
        return f"{'>= ' if self.missed else ''}{self.seconds / 60:.2f} min"


def time_to(curve: Sequence[Mapping[str, Any]], level: float) -> Reached:
    """When a curve first reached a level.

    Between the last snapshot below and the first one that holds it, time is interpolated linearly; a level that the
    first snapshot holds was reached at that snapshot.

    Args:
        curve: snapshots with "seconds" and "tatoeba" (0..1), in order of time, at least one.
        level: 0..1.
    """
    before: Mapping[str, Any] | None = None
    for point in curve:
        if point["tatoeba"] >= level:
            if before is None:
                return Reached(point["seconds"])
            share = (level - before["tatoeba"]) / (point["tatoeba"] - before["tatoeba"])
            return Reached(before["seconds"] + share * (point["seconds"] - before["seconds"]))
        before = point
    return Reached(curve[-1]["seconds"], missed=True)


def ratio(peer: Reached, ours: Reached) -> str | None:
    """How many times as long the peer took; a lower bound where it missed the level, None where ours did."""
    if ours.missed:
        return None
    return f"{'>= ' if peer.missed else ''}{peer.seconds / max(ours.seconds, 1e-9):.1f}"


def fastest(arms: Sequence[Reached]) -> Reached:
    """The earliest of those that reached a level, else the shortest try: longer it took every one of them."""
    done = [one for one in arms if not one.missed]
    return min(done or arms)
