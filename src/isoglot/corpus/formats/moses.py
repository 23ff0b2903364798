"""Moses pairs: two plain text files whose lines translate each other, as OPUS ships them with scores and ids."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.names import Languages, language_in_name
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError


def read_moses(
    source: File,
    target: File,
    corpus: str,
    border: Border,
    languages: Languages | None = None,
    scores: File | None = None,
    ids: File | None = None,
    *,
    allow_ragged: bool = False,
) -> Iterator[Pair]:
    """Yield line by line of two files; their languages come from the URI or their names (`train.en`).

    Args:
        source: lines of one language.
        target: lines of the other.
        corpus: name for the pairs.
        border: turns language codes into tags.
        languages: their codes; None: taken from the file names.
        scores: the aligner's score of each line, a number, for `Pair.score`.
        ids: where each line comes from; only its number of lines is used, as a check.
        allow_ragged: read on when one file is longer; its lines get an empty other side, which the filter
            "empty" counts.

    Raises:
        RequestError: the languages are unknown.
        DamagedError: one file has more lines than another, so no line can be trusted; or a score is no number.
    """
    tags = _tags(source, target, border, languages)
    files = [file for file in (source, target, scores, ids) if file is not None]
    for number, row in enumerate(itertools.zip_longest(*map(read_lines, files))):
        if None in row and not allow_ragged:
            raise _unequal(files, number)
        score = _score(row[2], files[2], number) if scores else None
        yield Pair(row[0] or "", row[1] or "", *tags, corpus, score)


def _tags(source: File, target: File, border: Border, languages: Languages | None) -> tuple[str, str]:
    codes = languages or (language_in_name(source), language_in_name(target))
    for path, code in zip((source, target), codes, strict=True):
        if code is None:
            raise RequestError(
                f"Nothing says which language {path} is.",
                "Name the files like train.en,train.de or add #en-de.",
            )
    return border.tag(str(codes[0]), str(source)), border.tag(str(codes[1]), str(target))


def _score(text: str | None, file: File, number: int) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError as error:
        raise DamagedError(
            f"{file}, line {number + 1}: {text!r} is not a score.", "Give the file of scores of these texts."
        ) from error


def _unequal(files: Sequence[File], common: int) -> DamagedError:
    counts = [f"{path} has {sum(1 for _ in read_lines(path))}" for path in files]
    counts[0] += " lines"
    return DamagedError(
        f"{', '.join(counts[:-1])} and {counts[-1]}: after line {common} nothing is aligned.",
        "Give files with the same number of lines, or take what they share with read.allow_ragged=true.",
    )
