"""Held-out sentences: the queries of every language and the one fixed pool that all of them are searched in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.corpus.split import key
from isoglot.corpus.store import Groups


@dataclass(frozen=True)
class HeldOut:
    """Test material of one split.

    Attributes:
        pool: distinct source texts; the first `len(own)` are of this split, the rest distractors.
        queries: translations of pool texts, language after language.
        gold: int64 [q], pool number of each query's original.
        language: int16 [q], index into `languages`.
        languages: tags; one without queries is left out.
    """

    pool: list[str]
    queries: list[str]
    gold: NDArray[np.int64]
    language: NDArray[np.int16]
    languages: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Digest of everything that is searched and searched in."""
        return digest_json([self.pool, self.queries, self.gold.tolist()])

    def rows_of(self, number: int) -> NDArray[np.int64]:
        """Query rows of one language."""
        return np.flatnonzero(self.language == number)


def hold_out(groups: Groups, distractors: list[str], pool: int, queries: int) -> HeldOut:
    """Choose pool and queries; the same corpus always gives the same choice.

    Args:
        groups: the split to test on.
        distractors: source texts of other splits, used in order when this split has fewer than `pool`.
        pool: texts in the pool.
        queries: at most so many per language.
    """
    own = groups.sources[:pool]
    seen = {key(text) for text in own}
    extra: list[str] = []
    for text in distractors:
        if len(own) + len(extra) >= pool:
            break
        if key(text) not in seen:
            seen.add(key(text))
            extra.append(text)
    rows = [_first_queries(groups, number, len(own), queries) for number in range(len(groups.languages))]
    filled = [number for number, chosen in enumerate(rows) if len(chosen)]
    chosen = np.concatenate([rows[number] for number in filled]) if filled else np.zeros(0, np.int64)
    return HeldOut(
        pool=own + extra,
        queries=[groups.targets[row] for row in chosen],
        gold=groups.group[chosen].astype(np.int64),
        language=np.concatenate(
            [np.full(len(rows[n]), i, np.int16) for i, n in enumerate(filled)] or [np.zeros(0, np.int16)]
        ),
        languages=tuple(groups.languages[number] for number in filled),
    )


def _first_queries(groups: Groups, language: int, sources: int, most: int) -> NDArray[np.int64]:
    """One translation of each of the first sources that have one in this language."""
    rows = np.flatnonzero((groups.language == language) & (groups.group < sources))
    _, first = np.unique(groups.group[rows], return_index=True)
    return rows[first][:most]


def random_pairs(n: int, wanted: int, seed: int) -> NDArray[np.int64]:
    """Draw pairs of different rows, int64 [wanted, 2]; none when there are fewer than two rows."""
    if n < 2:
        return np.zeros((0, 2), np.int64)
    random = np.random.default_rng((seed, 4))
    left = random.integers(n, size=wanted)
    return np.stack([left, (left + random.integers(1, n, size=wanted)) % n], axis=1)
