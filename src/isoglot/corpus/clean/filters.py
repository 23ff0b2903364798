"""The filters: each looks at a batch of pairs and tells which ones it drops."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.config import CleanConfig
from isoglot.corpus.clean import characters
from isoglot.corpus.clean.column import Column, Mask

_RATIO_SLACK = 5  # letters added to both sides, so that "On" may become "Eingeschaltet"
_PLACEHOLDER = re.compile(
    r"\{[^{}]*\}"  # {name}, {{ template }}
    r"|%\(\w+\)[sdifr]"  # %(name)s
    r"|%(?:\d+\$)?[-+0#]*\d*(?:\.\d+)?[sdifuxr@](?!\w)"  # %s, %1$d, %.2f
    r"|</?[A-Za-z][^<>]*>"  # <tag>, </tag>, <tag/>
    r"|&(?:[a-z]+|#\d+);"  # &nbsp;
)
_NUMBERED = re.compile(r"\$[1-9](?![\d.,]*\d)")  # $1, but not $100 or $1.50


@dataclass(frozen=True)
class Batch:
    """n repaired pairs.

    Attributes:
        source: their source sides.
        target: their target sides.
        languages: canonical tags of the target languages that occur.
        language: int [n], index into `languages`.
        source_lang: the source language.
        scores: float64 [n], the source's own alignment scores, NaN where it has none.
    """

    source: Column
    target: Column
    languages: Sequence[str]
    language: NDArray[np.int64]
    source_lang: str
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.language)


# a filter is asked about the rows that nothing has dropped yet; what it says of the others does not matter
Filter = Callable[[Batch, CleanConfig, Mask], Mask]


def not_unicode(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Lone surrogates (bytes that were not UTF-8), U+FFFD and code points that are no characters."""
    broken: Mask = batch.source.has(characters.BROKEN) | batch.target.has(characters.BROKEN)
    return broken


def empty(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """A side without any text."""
    nothing: Mask = (batch.source.lengths == 0) | (batch.target.lengths == 0)
    return nothing


def only_punctuation(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """A side without a letter or digit, SignWriting and other pictures aside."""
    # the flags answer for nearly all texts; symbols that are neither words nor punctuation (P*) may stand for words
    doubtful = ~(batch.source.has(characters.WORD) & batch.target.has(characters.WORD)) & alive
    return _where(
        doubtful, lambda row: not (_says(batch.source.texts[row]) and _says(batch.target.texts[row]))
    )


def too_short(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """A side of fewer than `min_chars` characters, if its weighted length is below that too."""
    few = np.minimum(batch.source.lengths, batch.target.lengths) < config.min_chars
    weighted = np.minimum(batch.source.weighted_lengths, batch.target.weighted_lengths)
    return few & (weighted < config.min_chars)


def too_long(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """A side of more than `max_chars` characters."""
    return np.maximum(batch.source.lengths, batch.target.lengths) > config.max_chars


def identical(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Two equal sides."""
    same_length = (batch.source.lengths == batch.target.lengths) & alive
    return _where(same_length, lambda row: batch.source.texts[row] == batch.target.texts[row])


def low_score(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """An alignment score of the source's own below `min_score`; pairs without a score pass."""
    if config.min_score is None:
        return _nothing(batch)
    low: Mask = batch.scores < config.min_score
    return low


def placeholder(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Placeholders such as {name} or %s: different ones on the two sides, or any, as `placeholders` says."""
    if config.placeholders == "keep":
        return _nothing(batch)
    doubtful = (batch.source.has(characters.PLACEHOLDER) | batch.target.has(characters.PLACEHOLDER)) & alive
    drops = has_placeholder if config.placeholders == "drop" else placeholders_differ
    return _where(doubtful, lambda row: drops(batch.source.texts[row], batch.target.texts[row]))


def number(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Digits on both sides, and a digit on the side with fewer of them that the other side lacks.

    Order and grouping are free: 1,000.5 is 1.000,5, and 3 May 2020 may become 2020年5月3日.
    """
    if not config.match_numbers:
        return _nothing(batch)
    source, target = batch.source.digits(), batch.target.digits()
    totals = source.sum(axis=1), target.sum(axis=1)
    fewer = np.where((totals[0] <= totals[1])[:, None], source, target)
    lacking = (fewer > source + target - fewer).any(axis=1)
    found: Mask = lacking & (totals[0] > 0) & (totals[1] > 0)
    return found


def repeated(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """One character `max_repeats` times in a row or more, on either side."""
    reach = config.max_repeats + 1
    return batch.source.longest_run_reaches(reach) | batch.target.longest_run_reaches(reach)


def length_ratio(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """One side more than `max_length_ratio` times as long as the other, in weighted characters."""
    source = batch.source.weighted_lengths + _RATIO_SLACK
    target = batch.target.weighted_lengths + _RATIO_SLACK
    return np.maximum(source, target) > config.max_length_ratio * np.minimum(source, target)


def near_untranslated(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Two sides that are nearly the same text: `similarity` of at least `max_untranslated`."""
    threshold = config.max_untranslated
    if threshold == 1:
        return _nothing(batch)
    # an alphabet of its own on one side decides it for most rows: only equal characters can be common
    ascii_source, ascii_target = batch.source.ascii_lengths, batch.target.ascii_lengths
    lengths = batch.source.lengths, batch.target.lengths
    common = np.minimum(ascii_source, ascii_target)
    common += np.minimum(lengths[0] - ascii_source, lengths[1] - ascii_target)
    rows = np.flatnonzero(alive & (2 * common >= threshold * (lengths[0] + lengths[1]))).tolist()
    found = _nothing(batch)
    if len(rows):
        sources = [batch.source.texts[row] for row in rows]
        found[rows] = similarities(sources, [batch.target.texts[row] for row in rows], threshold) >= threshold
    return found


def has_placeholder(source: str, target: str) -> bool:
    """Tell whether either side has a placeholder."""
    if _PLACEHOLDER.search(source) is not None or _PLACEHOLDER.search(target) is not None:
        return True
    # on one side alone, $5 is money
    return _NUMBERED.search(source) is not None and _NUMBERED.search(target) is not None


def placeholders_differ(source: str, target: str) -> bool:
    """Tell whether the two sides have other placeholders, in any order."""
    if Counter(_PLACEHOLDER.findall(source)) != Counter(_PLACEHOLDER.findall(target)):
        return True
    left, right = Counter(_NUMBERED.findall(source)), Counter(_NUMBERED.findall(target))
    return bool(left and right and left != right)


def similarities(sources: Sequence[str], targets: Sequence[str], worth: float) -> NDArray[np.float32]:
    """Similarity of each pair of texts after case folding, in [0, 1]: 2 x longest common subsequence / both lengths.

    Args:
        sources: n texts.
        targets: n texts.
        worth: similarities below it may be returned as 0.

    Returns:
        float32 [n].
    """
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    folded = [[text.casefold() for text in side] for side in (sources, targets)]
    found: NDArray[np.float32] = cpdist(
        *folded, scorer=Indel.normalized_similarity, score_cutoff=worth, dtype=np.float32, workers=1
    )
    return found


def _says(text: str) -> bool:
    return any(unicodedata.category(character)[0] not in "PZC" for character in text)


def _where(doubtful: Mask, drops: Callable[[int], bool]) -> Mask:
    """Decide the doubtful rows one by one."""
    found = np.zeros(len(doubtful), np.bool_)
    for row in np.flatnonzero(doubtful).tolist():
        found[row] = drops(row)
    return found


def _nothing(batch: Batch) -> Mask:
    return np.zeros(len(batch), np.bool_)
