"""Margin scores and the pairs they choose: Artetxe and Schwenk 2019, arXiv:1811.01136, section 3.

A cosine alone says little: some sentences are near to everything. The margin relates it to how near the k nearest
neighbours of both sentences are on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoglot.mine.knn import BothWays

Margin = Literal["ratio", "distance", "absolute"]
Retrieval = Literal["forward", "backward", "intersection", "max-score"]


@dataclass(frozen=True)
class Mined:
    """Pairs that belong together, best first; equal scores by source, then by target number.

    Attributes:
        sources: int64 [p].
        targets: int64 [p].
        scores: float64 [p], margins.
        cosines: float32 [p].
    """

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    scores: NDArray[np.float64]
    cosines: NDArray[np.float32]

    def chosen(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Mined:
        """Some of them, in the order of `which`."""
        return Mined(self.sources[which], self.targets[which], self.scores[which], self.cosines[which])


def margin_scores(
    cosines: NDArray[np.floating],
    source_means: NDArray[np.floating],
    target_means: NDArray[np.floating],
    margin: Margin = "ratio",
) -> NDArray[np.float64]:
    """Score pairs by the margin (equations 1 and 2).

    Args:
        cosines: float [...] of the pairs.
        source_means: mean cosine of each source with its k nearest targets; any shape that fits `cosines`.
        target_means: mean cosine of each target with its k nearest sources.
        margin: "ratio" a/b, "distance" a - b, "absolute" a; b is the mean of both means.

    Returns:
        float64 [...]; a ratio over neighbours whose mean cosine is not positive is 0, for nothing is near there.
    """
    own = np.asarray(cosines, np.float64)
    if margin == "absolute":
        return own
    around = (np.asarray(source_means, np.float64) + np.asarray(target_means, np.float64)) / 2
    own, around = np.broadcast_arrays(own, around)
    if margin == "distance":
        return own - around
    return np.divide(own, around, out=np.zeros(own.shape), where=around > 0)


def mine(found: BothWays, *, margin: Margin = "ratio", retrieval: Retrieval = "max-score") -> Mined:
    """Choose pairs among the neighbours of both directions (section 3.2).

    Args:
        found: neighbours by cosine of the sources (forward) and of the targets (backward).
        margin: how a pair is scored.
        retrieval: "forward": every source with its best target; "backward": every target with its best source;
            "intersection": pairs that are in both; "max-score": the pairs of both, best first, each sentence once.
    """
    forward, backward = _scored(found, margin)
    if retrieval == "forward":
        return _best_first(forward)
    if retrieval == "backward":
        return _best_first(backward)
    if retrieval == "intersection":
        return _best_first(forward.chosen(backward.sources[forward.targets] == forward.sources))
    return _each_once(_best_first(_joined(forward, backward)))


def _scored(found: BothWays, margin: Margin) -> tuple[Mined, Mined]:
    """The candidate of highest margin for every source, and for every target; the nearer one among equals."""
    (cosines, targets), (back_cosines, sources) = found.forward, found.backward
    source_means = cosines.mean(axis=1, dtype=np.float64)
    target_means = back_cosines.mean(axis=1, dtype=np.float64)
    scores = margin_scores(cosines, source_means[:, None], target_means[targets], margin)
    back_scores = margin_scores(back_cosines, source_means[sources], target_means[:, None], margin)
    every, best = np.arange(len(scores)), scores.argmax(axis=1)
    forward = Mined(every, targets[every, best], scores[every, best], cosines[every, best])
    every, best = np.arange(len(back_scores)), back_scores.argmax(axis=1)
    backward = Mined(sources[every, best], every, back_scores[every, best], back_cosines[every, best])
    return forward, backward


def _joined(one: Mined, other: Mined) -> Mined:
    return Mined(
        np.concatenate([one.sources, other.sources]),
        np.concatenate([one.targets, other.targets]),
        np.concatenate([one.scores, other.scores]),
        np.concatenate([one.cosines, other.cosines]),
    )


def _each_once(pairs: Mined) -> Mined:
    """Take pairs in their order unless one of their sentences is taken."""
    sources, targets, kept = set[int](), set[int](), []
    for place, pair in enumerate(zip(pairs.sources.tolist(), pairs.targets.tolist(), strict=True)):
        if pair[0] not in sources and pair[1] not in targets:
            sources.add(pair[0])
            targets.add(pair[1])
            kept.append(place)
    return pairs.chosen(np.array(kept, np.int64))


def _best_first(pairs: Mined) -> Mined:
    return pairs.chosen(np.lexsort((pairs.targets, pairs.sources, -pairs.scores)))
