"""Moses pairs: two plain text files whose lines translate each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.names import Languages, language_in_name
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError


def read_moses(
    source: File, target: File, corpus: str, border: Border, languages: Languages | None = None
) -> Iterator[Pair]:
    """Yield line by line of two files; their languages come from the URI or their names (`train.en`).

    Raises:
        RequestError: the languages are unknown.
        DamagedError: one file has more lines than the other, so no line can be trusted.
    """
    codes = languages or (language_in_name(source), language_in_name(target))
    for path, code in zip((source, target), codes, strict=True):
        if code is None:
            raise RequestError(
                f"Nothing says which language {path} is.",
                "Name the files like train.en,train.de or add #en-de.",
            )
    source_lang, target_lang = (
        border.tag(str(code), str(path)) for code, path in zip(codes, (source, target), strict=True)
    )
    for number, (left, right) in enumerate(itertools.zip_longest(read_lines(source), read_lines(target))):
        if left is None or right is None:
            raise _unequal(source, target, number)
        yield Pair(left, right, source_lang, target_lang, corpus)


def _unequal(source: File, target: File, common: int) -> DamagedError:
    counts = [sum(1 for _ in read_lines(path)) for path in (source, target)]
    return DamagedError(
        f"{source} has {counts[0]} lines and {target} has {counts[1]}: after line {common} nothing is aligned.",
        "Give two files with the same number of lines.",
    )
