"""What became of every row: counted while reading and arranging, and summed up for the manifest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.config import CleanConfig
from isoglot.corpus.arrange import LENGTH_EDGES, Arranged, Key
from isoglot.corpus.clean.chain import KEPT, LATE_REASONS, REASONS
from isoglot.corpus.clean.filters import Batch
from isoglot.corpus.clean.language import OFF, is_checked
from isoglot.corpus.split import SPLITS


@dataclass
class Tally:
    """What happened to every row, while reading.

    Attributes:
        corpora: name -> index, in the order in which they came.
        rows: (corpus, language, verdict) -> rows.
        unwanted: pair of languages that was not asked for -> rows.
        examples: (verdict, language) -> corpus, source and target of the first rows that were dropped.
    """

    corpora: dict[str, int] = field(default_factory=dict)
    rows: Counter[tuple[int, str, int]] = field(default_factory=Counter)
    unwanted: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[int, str], list[tuple[str, str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def count(self, batch: Batch, corpora: NDArray[np.int64], verdict: NDArray[np.int64]) -> int:
        """Count a batch of n rows by corpus (int64 [n]), language and verdict; give the number of rows before it."""
        first = self.rows.total()
        shape = (len(self.corpora), len(batch.languages), len(REASONS) + 1)
        cells = np.ravel_multi_index((corpora, batch.language, verdict - KEPT), shape)
        found, rows = np.unique(cells, return_counts=True)
        for corpus, language, shifted, times in zip(*np.unravel_index(found, shape), rows, strict=True):
            self.rows[int(corpus), batch.languages[language], int(shifted) + KEPT] += int(times)
        return first


def summary(tally: Tally, arranged: Arranged, config: CleanConfig) -> dict[str, Any]:
    """One record for the manifest: totals, and the same per language, and per corpus and language."""
    cells = _cells(tally, arranged)
    languages = {}
    for tag in sorted({cell["lang"] for cell in cells}):
        own = [cell for cell in cells if cell["lang"] == tag]
        splits = {split: arranged.splits.get(tag, Counter())[split] for split in SPLITS}
        languages[tag] = {**_summed(own), "splits": splits}
    corpora = {
        name: sum(cell["kept"] for cell in cells if cell["corpus"] == name) for name in sorted(tally.corpora)
    }
    return {
        **_summed(cells),
        "unchecked": _unchecked(tally, config),
        "not asked for": dict(sorted(tally.unwanted.items())),
        "sources": arranged.sources,
        "languages": languages,
        "corpora": {name: kept for name, kept in corpora.items() if kept},
        "by corpus": cells,
        "lengths": {
            "edges": list(LENGTH_EDGES),
            "source": _by_class(arranged.source_lengths),
            "target": {tag: _by_class(found) for tag, found in sorted(arranged.target_lengths.items())},
        },
    }


def _cells(tally: Tally, arranged: Arranged) -> list[dict[str, Any]]:
    """Rows read, kept and dropped by reason, for each corpus and language."""
    dropped: dict[Key, Counter[str]] = defaultdict(Counter)
    read: Counter[Key] = Counter()
    for (corpus, tag, verdict), rows in tally.rows.items():
        read[corpus, tag] += rows
        if verdict != KEPT:
            dropped[corpus, tag][REASONS[verdict]] += rows
    found_late = (arranged.near_duplicate, arranged.duplicate, arranged.over_cap)
    for reason, late in zip(LATE_REASONS, found_late, strict=True):
        for place, rows in late.items():
            dropped[place][reason] += rows
    names = list(tally.corpora)
    cells = [
        {
            "corpus": names[corpus], "lang": tag, "read": rows, "kept": arranged.kept[corpus, tag],
            "dropped": dict(sorted(dropped[corpus, tag].items())),
        }
        for (corpus, tag), rows in read.items()
    ]  # fmt: skip
    return sorted(cells, key=lambda cell: (cell["corpus"], cell["lang"]))


def _summed(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    dropped: Counter[str] = Counter()
    for cell in cells:
        dropped.update(cell["dropped"])
    return {
        "read": sum(cell["read"] for cell in cells),
        "kept": sum(cell["kept"] for cell in cells),
        "dropped": dict(sorted(dropped.items())),
    }


def _unchecked(tally: Tally, config: CleanConfig) -> dict[str, int]:
    """Rows that passed the filters in languages that the identifier does not know."""
    if config.language_probability >= OFF:
        return {}
    passed: Counter[str] = Counter()
    for (_, tag, verdict), rows in tally.rows.items():
        if verdict == KEPT and not is_checked(tag):
            passed[tag] += rows
    return dict(sorted(passed.items()))


def _by_class(found: Counter[int]) -> list[int]:
    return [found[number] for number in range(len(LENGTH_EDGES))]
