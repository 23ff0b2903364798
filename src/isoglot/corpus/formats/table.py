"""TSV and CSV files of sentence pairs.

Three shapes are read: columns `source_lang target_lang source target`, with `score` where there is one; one column per
language, headed by its code; and two columns without a header, with languages from the file name (`x.en-de.tsv`) or
`x.tsv#en-de`. Of any other table `columns` says where the texts are.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.lines import LONGEST_LINE, read_lines
from isoglot.corpus.formats.names import (
    Languages,
    field_names,
    language_fields,
    languages_in_name,
    require_languages,
)
from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.languages import Border, parse
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError

Row = tuple[int, list[str]]  # line number from 1, cells


@dataclass(frozen=True)
class Columns:
    """Where the texts of a row are.

    Attributes:
        source: column of the source text.
        targets: columns of the target texts.
        language: gives the source language and the languages of `targets` of one row.
        header: the first row holds names, not texts.
        width: number of columns.
        score: column of the score of a pair; None: there is none.
    """

    source: int
    targets: tuple[int, ...]
    language: Callable[[list[str]], Sequence[str]]
    header: bool
    width: int
    score: int | None = None


def read_table(
    path: File,
    corpus: str,
    border: Border,
    languages: Languages | None = None,
    columns: Sequence[str] = (),
) -> Iterator[Pair]:
    """Yield the pairs of a TSV or CSV file, compressed or not.

    TSV has no quoting: a double quote is a plain character. CSV is RFC 4180.

    Args:
        path: the file; `.csv` in its name makes it CSV, everything else is TSV.
        corpus: name for the pairs.
        border: turns language codes into tags.
        languages: source and target code of a two-column file; None: taken from the file name.
        columns: where the texts are, as `ReadConfig.columns` has it; empty: found by their heads.

    Raises:
        RequestError: no text columns or no languages can be made out.
        DamagedError: a row has another number of columns or a score that is no number, or the compression is broken.
    """
    rows = _csv_rows(path) if plain_name(path).endswith(".csv") else _tsv_rows(path)
    first = next(rows, None)
    if first is None:
        raise RequestError(f"{path} is empty.", "Give a file with at least one sentence pair.")
    layout = (
        _chosen_columns(first[1], columns, path, languages, border)
        if columns
        else _columns(first[1], path, languages, border)
    )
    if not layout.header:
        rows = itertools.chain([first], rows)
    tags: dict[tuple[str, ...], list[str]] = {}
    for number, cells in rows:
        if len(cells) != layout.width:
            raise DamagedError(
                f"{path}, line {number}: {len(cells)} columns instead of {layout.width}.",
                "Mend or remove that line.",
            )
        codes = tuple(layout.language(cells))
        if codes not in tags:
            tags[codes] = [border.tag(code, path, number) for code in codes]
        source, (source_lang, *target_langs) = cells[layout.source], tags[codes]
        score = None if layout.score is None else _score(cells[layout.score], path, number)
        for column, target_lang in zip(layout.targets, target_langs, strict=True):
            yield Pair(source, cells[column], source_lang, target_lang, corpus, score)


def _columns(first: list[str], path: File, languages: Languages | None, border: Border) -> Columns:
    names = field_names(first)
    if len(first) < 2:
        raise RequestError(
            f"{path} has one column: {first[0][:60]!r}.",
            "A table of sentence pairs needs a source and a target column, separated by "
            + ("a comma." if plain_name(path).endswith(".csv") else "a tab."),
        )
    if {"source", "target"} <= set(names):
        return _named_columns(names, path, languages)
    if _heads_languages(first, languages or languages_in_name(path)):
        return _language_columns(first, path, border)
    if len(first) > 2:
        raise RequestError(
            f"{path} has {len(first)} columns and no header line that names them.",
            "Put source_lang, target_lang, source, target or the language codes in its first line.",
        )
    pair = require_languages(languages, path, "a source and a target column")
    return Columns(0, (1,), lambda cells: pair, header=False, width=2)


def _chosen_columns(
    first: list[str], chosen: Sequence[str], path: File, languages: Languages | None, border: Border
) -> Columns:
    """Columns that the user named by language: by their heads, or by number from 1 where there is no header."""
    heads = dict(item.split("=", 1) for item in chosen)
    by_number = all(head.isdecimal() for head in heads.values())
    names = (
        [str(place) for place in range(1, len(first) + 1)] if by_number else [cell.strip() for cell in first]
    )
    missing = [head for head in heads.values() if head not in names]
    if missing:
        raise RequestError(
            f"{path} has no column {missing[0]!r}; it has {', '.join(map(repr, names))}.", "Mend --columns."
        )
    places = {code: names.index(head) for code, head in heads.items()}
    if set(places) == {"source", "target"}:
        pair = require_languages(languages, path, "a source and a target column")
        places = {pair[0]: places["source"], pair[1]: places["target"]}
    codes = sorted(places, key=lambda code: border.tag(code, "--columns") != border.source_lang)
    targets = tuple(places[code] for code in codes[1:])
    return Columns(places[codes[0]], targets, lambda cells: codes, header=not by_number, width=len(first))


def _named_columns(names: list[str], path: File, languages: Languages | None) -> Columns:
    source, target = names.index("source"), names.index("target")
    score = names.index("score") if "score" in names else None
    if "source_lang" in names and "target_lang" in names:
        at = names.index("source_lang"), names.index("target_lang")
        return Columns(
            source,
            (target,),
            lambda cells: [cells[at[0]], cells[at[1]]],
            header=True,
            width=len(names),
            score=score,
        )
    pair = require_languages(languages, path, "a source and a target column")
    return Columns(source, (target,), lambda cells: pair, header=True, width=len(names), score=score)


def _score(text: str, path: File, number: int) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise DamagedError(
            f"{path}, line {number}: {text!r} is not a score.", "Mend it, or give that column another head."
        ) from error


def _heads_languages(first: list[str], languages: Languages | None) -> bool:
    """Tell whether a first row holds codes; `to, zu` is a sentence pair when the file is said to be en-de."""
    places = language_fields(first)
    others = {cell.strip().lower() for place, cell in enumerate(first) if place not in places}
    if len(places) < 2 or others - {"key", "id"}:
        return False
    tags = {parse(first[place]) for place in places}
    return len(tags) == len(places) and (languages is None or tags >= {parse(code) for code in languages})


def _language_columns(first: list[str], path: File, border: Border) -> Columns:
    codes = {place: first[place].strip() for place in language_fields(first)}
    source = next((column for column, code in codes.items() if parse(code) == border.source_lang), None)
    if source is None:
        raise RequestError(
            f"{path} has columns for {', '.join(codes.values())}, none for the source {border.source_lang}.",
            "Choose another one with --source-lang.",
        )
    targets = tuple(column for column in codes if column != source)
    ordered = [codes[source], *(codes[column] for column in targets)]
    return Columns(source, targets, lambda cells: ordered, header=True, width=len(first))


def _tsv_rows(path: File) -> Iterator[Row]:
    for number, line in enumerate(read_lines(path), start=1):
        yield number, line.split("\t")


def _csv_rows(path: File) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_LINE)  # the module's own is 128 KiB, and its error would end the whole file
    # each line gets its line feed back: the csv module needs it to see line breaks inside quotes
    reader = csv.reader((line + "\n" for line in read_lines(path)), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise DamagedError(
            f"{path}, line {reader.line_num}: {error}.", "Mend the quotes of that line."
        ) from error
