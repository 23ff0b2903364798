"""The one record that flows from the readers through the filters into the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and its translation.

    Attributes:
        source: text in the source language.
        target: its translation.
        source_lang: canonical language tag, as `isoglot.corpus.languages.parse` gives it.
        target_lang: the same for the translation.
        corpus: name of the source it was read from.
    """

    source: str
    target: str
    source_lang: str
    target_lang: str
    corpus: str

    def swapped(self) -> Pair:
        """The same pair read in the other direction."""
        return Pair(self.target, self.source, self.target_lang, self.source_lang, self.corpus)
