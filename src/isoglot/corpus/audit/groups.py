"""Training groups without the sentences of test sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.audit.index import Index, Match, Side
from isoglot.corpus.split import keys
from isoglot.corpus.store import Groups


@dataclass(frozen=True)
class GroupLeaks:
    """Which sentences of some groups are in test sets, for n source sentences with m translations.

    Attributes:
        source: bool [n], the source sentence leaks.
        target: bool [m], the translation leaks.
        groups: test set -> source sentences that leak it.
        translations: test set -> translations that leak it.
    """

    source: NDArray[np.bool_]
    target: NDArray[np.bool_]
    groups: dict[str, int]
    translations: dict[str, int]


def find_leaks(groups: Groups, index: Index) -> GroupLeaks:
    """Look all sentences of some groups up in the test sets; only equal keys count."""
    source, by_source = _leaking(groups.sources, index.source)
    target, by_target = _leaking(groups.targets, index.target)
    zero = dict.fromkeys(index.test_sets, 0)
    return GroupLeaks(source, target, {**zero, **by_source}, {**zero, **by_target})


def without_leaks(groups: Groups, leaks: GroupLeaks) -> Groups:
    """Leave out groups whose source leaks, translations that leak, and groups that then have no translation."""
    kept = ~leaks.target & ~leaks.source[groups.group]
    alive = np.zeros(len(groups.sources), bool)
    alive[groups.group[kept]] = True
    renumbered = np.cumsum(alive) - 1
    return Groups(
        sources=[groups.sources[row] for row in np.flatnonzero(alive)],
        targets=[groups.targets[row] for row in np.flatnonzero(kept)],
        group=renumbered[groups.group[kept]].astype(np.int32),
        language=groups.language[kept],
        languages=groups.languages,
        origins=None if groups.origins is None else groups.origins.of(kept),
    )


def _leaking(texts: Sequence[str], side: Side) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which texts are in test sets, bool [texts], and test set -> how many of them are in it."""
    found: list[Match] = list(side.exact(list(keys(texts))))
    leaking = np.zeros(len(texts), bool)
    leaking[[match.row for match in found]] = True
    pairs = {(match.row, match.mark.test_set) for match in found}
    counts: dict[str, int] = {}
    for _, test_set in pairs:
        counts[test_set] = counts.get(test_set, 0) + 1
    return leaking, counts
