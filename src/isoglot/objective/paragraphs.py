"""Short paragraphs as further targets: two to six consecutive sentences of a corpus, joined on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.store import Groups, Origins
from isoglot.errors import RequestError

LONGEST = 6
_GOES_ON = (
    0.75  # chance that a paragraph goes on after a sentence: lengths fall off slowly, up to the longest
)
_UNSPACED = frozenset(
    {"zh", "ja", "th", "lo", "km", "my", "yue", "wuu"}
)  # written without spaces between sentences


def with_paragraphs(
    groups: Groups, beside: Sequence[Groups], share: float, seed: int, *, separator: str = " "
) -> Groups:
    """Add paragraphs of sentences that follow one another in the same corpus and language.

    Where a paragraph ends depends on the source sentence alone, so that languages with the same text share their
    paragraphs' source sides. A sentence is in one paragraph per corpus and language at most.

    Args:
        groups: the sentences to make them of.
        beside: further sentences of the corpus, such as other splits: a paragraph never skips one.
        share: of the paragraphs there are, in 0..1; drawn by source sentence.
        seed: of ends and draw.
        separator: between source sentences.

    Returns:
        The same groups, followed by a group for each distinct paragraph.

    Raises:
        RequestError: the corpus does not say in which order its sentences were read.
    """
    kept, ends = _draws(len(groups.sources), share, seed)
    numbers: dict[str, int] = {}
    targets, group, language, first = [], [], [], []
    for rows in _paragraphs(groups, beside, ends):
        if kept[groups.group[rows[0]]]:
            source = separator.join(groups.sources[number] for number in groups.group[rows])
            group.append(numbers.setdefault(source, len(numbers)))
            language.append(groups.language[rows[0]])
            glue = "" if groups.languages[language[-1]].split("-")[0] in _UNSPACED else " "
            targets.append(glue.join(groups.targets[row] for row in rows))
            first.append(rows[0])
    order = np.lexsort((language, group)) if group else np.zeros(0, np.int64)
    origins = _known(groups).of(np.concatenate([np.arange(len(groups.targets)), np.array(first, int)[order]]))
    return replace(
        groups,
        sources=groups.sources + list(numbers),
        targets=groups.targets + [targets[row] for row in order],
        group=np.r_[groups.group, np.array(group, np.int32)[order] + np.int32(len(groups.sources))],
        language=np.r_[groups.language, np.array(language, np.int16)[order]],
        origins=origins,
    )


def _draws(sources: int, share: float, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a paragraph that begins with a source is kept, and whether one ends with it: bool [sources]."""
    draws = np.random.default_rng((seed, 5)).random((2, sources))
    return draws[0] < share, draws[1] >= _GOES_ON


def _paragraphs(
    groups: Groups, beside: Sequence[Groups], ends: NDArray[np.bool_]
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of every paragraph, in the order of the corpus."""
    for rows, ranks in _sequences(groups, beside):
        start = 0
        for place in range(1, len(rows) + 1):
            broken = place == len(rows) or ranks[place] != ranks[place - 1] + 1
            if broken or place - start == LONGEST or ends[groups.group[rows[place - 1]]]:
                if place - start > 1:
                    yield rows[start:place]
                start = place


def _sequences(
    groups: Groups, beside: Sequence[Groups]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield, for every corpus and language, its rows in order and their places among all sentences there are."""
    own = _known(groups)
    everything = [_places(one) for one in (groups, *beside)]
    for name in range(len(own.corpora)):
        for tag in range(len(groups.languages)):
            rows = np.flatnonzero((own.corpus == name) & (groups.language == tag))
            if len(rows):
                all_orders = np.unique(
                    np.concatenate([there.get((own.corpora[name], tag), rows[:0]) for there in everything])
                )
                orders = _order(own)[rows]
                rows = rows[np.argsort(orders)]
                yield rows, np.searchsorted(all_orders, np.sort(orders))


def _places(groups: Groups) -> dict[tuple[str, int], NDArray[np.int64]]:
    """Orders of the rows of each corpus and language."""
    own = _known(groups)
    return {
        (name, tag): _order(own)[(own.corpus == number) & (groups.language == tag)]
        for number, name in enumerate(own.corpora)
        for tag in range(len(groups.languages))
    }


def _known(groups: Groups) -> Origins:
    if groups.origins is None or groups.origins.order is None:
        raise RequestError(
            "This corpus folder does not say in which order its sentences were read, as paragraphs need.",
            "Build it again with this version of isoglot.",
        )
    return groups.origins


def _order(origins: Origins) -> NDArray[np.int64]:
    assert origins.order is not None  # noqa: S101  `_known` refuses that
    return origins.order
