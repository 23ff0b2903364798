"""The languages of MTEB's tasks as our tags: `deu-Latn` is `de`, `cmn-Hans` may be asked for as `zh`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from isoglot.corpus.benchmarks.matching import matches
from isoglot.corpus.languages import is_code, parse

Subsets = Mapping[str, tuple[str, ...]]


def tags_of(codes: Sequence[str]) -> tuple[str, ...]:
    """Canonical tags of MTEB's codes; one that is no language (`python-Code`) stays as it is."""
    return tuple(parse(code) if is_code(code) else code for code in codes)


def in_languages(subsets: Subsets, languages: Collection[str]) -> list[str]:
    """Choose the subsets of a task that are in some languages.

    Args:
        subsets: name of a subset -> tags of its languages.
        languages: canonical tags; empty: all.

    Returns:
        Names of the subsets whose languages are all wanted, English always where it is not alone: `fr-en` is French.
    """
    return [name for name, tags in subsets.items() if not languages or _wanted(tags, languages)]


def _wanted(tags: tuple[str, ...], languages: Collection[str]) -> bool:
    foreign = [tag for tag in tags if tag != "en"] or list(tags)
    return all(any(matches(tag, language) for language in languages) for tag in foreign)
