"""The one record that flows from the readers through the filters into the store."""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """A sentence and its translation.

    A named tuple, because millions are made: a frozen dataclass takes three times as long.

    Attributes:
        source: text in the source language.
        target: its translation.
        source_lang: canonical language tag, as `isoglot.corpus.languages.parse` gives it.
        target_lang: the same for the translation.
        corpus: name of the source it was read from.
        score: how sure the source's own aligner was, on its own scale; None when it does not say.
    """

    source: str
    target: str
    source_lang: str
    target_lang: str
    corpus: str
    score: float | None = None

    def swapped(self) -> Pair:
        """The same pair read in the other direction."""
        return self._replace(
            source=self.target, target=self.source, source_lang=self.target_lang, target_lang=self.source_lang
        )
