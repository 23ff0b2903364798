"""Bilingual word lists: MUSE dictionaries and the titles of Wikipedia articles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.names import Languages, require_languages
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError

_SPACES = re.compile(r"[ \t]+")
_TITLES = re.compile(r"\t| \|\|\| ")
_TAB = re.compile("\t")


def read_muse(path: File, corpus: str, border: Border, languages: Languages | None = None) -> Iterator[Pair]:
    """Yield the word pairs of a MUSE dictionary (Conneau et al. 2018), such as `en-de.txt`.

    Each line has a word and one translation, with a space or a tab between them; a word with several
    translations has several lines. With a tab, words may hold spaces.

    Raises:
        RequestError: nothing says which languages they are.
        DamagedError: a line is not two words.
    """
    yield from _rows(path, corpus, border, languages, None)


def read_wikititles(
    path: File, corpus: str, border: Border, languages: Languages | None = None
) -> Iterator[Pair]:
    """Yield the title pairs of a WikiTitles file: `Title ||| Titel` or the two titles with a tab between them.

    Raises:
        RequestError: nothing says which languages they are.
        DamagedError: a line is not two titles.
    """
    yield from _rows(path, corpus, border, languages, _TITLES)


def _rows(
    path: File, corpus: str, border: Border, languages: Languages | None, between: re.Pattern[str] | None
) -> Iterator[Pair]:
    codes = require_languages(languages, path, "two columns")
    source_lang, target_lang = (border.tag(code, str(path)) for code in codes)
    for number, line in enumerate(read_lines(path), start=1):
        plain = line.strip(" \t\r")
        if not plain:
            continue
        cells = (between or (_TAB if "\t" in plain else _SPACES)).split(plain)
        if len(cells) != 2:
            raise DamagedError(
                f"{path}, line {number}: {len(cells)} parts instead of a text and its translation.",
                "Mend or remove that line.",
            )
        yield Pair(cells[0], cells[1], source_lang, target_lang, corpus)
