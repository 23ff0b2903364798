"""The filters in their order: every pair gets the first reason that applies, or is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isoglot.config import CleanConfig
from isoglot.corpus.clean import filters
from isoglot.corpus.clean.filters import Batch, Filter
from isoglot.corpus.clean.language import wrong_language
from isoglot.corpus.clean.repair import repaired
from isoglot.corpus.clean.script import wrong_script
from isoglot.corpus.pair import Pair

# mostly the cheap ones first; users see these names in the counts
FILTERS: dict[str, Filter] = {
    "not Unicode": filters.not_unicode,
    "empty": filters.empty,
    "only punctuation": filters.only_punctuation,
    "too short": filters.too_short,
    "too long": filters.too_long,
    "identical": filters.identical,
    "alignment score": filters.low_score,
    "placeholder": filters.placeholder,
    "number": filters.number,
    "repeated characters": filters.repeated,
    "length ratio": filters.length_ratio,
    "wrong script": wrong_script,
    "near-untranslated": filters.near_untranslated,
    "wrong language": wrong_language,
}
KEPT = -1
# found later, over the whole corpus
LATE_REASONS = ("near-duplicate", "duplicate", "over the cap")
REASONS = (*FILTERS, *LATE_REASONS)


def batch_of(pairs: Sequence[Pair], source_lang: str, config: CleanConfig) -> Batch:
    """Repair n >= 1 pairs, all from `source_lang`, and lay them out in columns."""
    sources, targets, _, languages, _, scores = zip(*pairs, strict=True)
    numbers = {tag: number for number, tag in enumerate(dict.fromkeys(languages))}
    return Batch(
        source=repaired(sources, mojibake=config.repair_mojibake),
        target=repaired(targets, mojibake=config.repair_mojibake),
        languages=list(numbers),
        language=np.fromiter(map(numbers.__getitem__, languages), np.int64, len(languages)),
        source_lang=source_lang,
        scores=np.array(scores, np.float64),  # None becomes NaN
    )


def verdicts(batch: Batch, config: CleanConfig) -> NDArray[np.int64]:
    """Return the verdict on each pair: int64 [n], an index into `REASONS`, or `KEPT`."""
    found = np.full(len(batch), KEPT, np.int64)
    for index, drops in enumerate(FILTERS.values()):
        alive = found == KEPT
        found[drops(batch, config, alive) & alive] = index
    return found


def reason_to_drop(pair: Pair, config: CleanConfig) -> str | None:
    """Return why one pair is dropped, or None when it is kept."""
    index = int(verdicts(batch_of([pair], pair.source_lang, config), config)[0])
    return None if index == KEPT else REASONS[index]
