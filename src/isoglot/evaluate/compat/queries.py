"""Queries with their English parallels, and which documents are relevant to them, out of TSV files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import Path

from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.languages import is_code, parse
from isoglot.errors import DamagedError, RequestError

ENGLISH = "en"
_NAMED = frozenset({"query", "english", "language", "id"})

Relevance = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Query:
    """What a user asks.

    Attributes:
        id: as the file of relevance names it; parallel queries share it.
        language: BCP 47 tag.
        text: in that language.
        english: what the same user would ask the teacher.
    """

    id: str
    language: str
    text: str
    english: str


def read_queries(path: Path, language: str | None) -> list[Query]:
    """Read queries in one of three layouts.

    - `query<TAB>english` in the header, with `language` and `id` where wanted, in any order;
    - one column per language, such as `id<TAB>en<TAB>de<TAB>fr`: empty cells are skipped;
    - no header: the query and its English parallel.

    Without ids, rows are numbered from 1 (the header not counted).

    Args:
        path: the file.
        language: of the queries, where the file does not say it.

    Raises:
        RequestError: there is no such file, it is empty, or nobody says the language.
        DamagedError: a row has too few or too many cells; names its line.
    """
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", "Give a TSV file of queries with --queries.")
    rows = _rows(path)
    first = next(rows, None)
    heads = [cell.strip().lower() for cell in first[1]] if first else []
    if {"query", "english"} <= set(heads) <= _NAMED:
        found = list(_named(rows, heads, language, path))
    elif _are_languages(heads):
        found = list(_parallel(rows, heads, path))
    else:
        found = list(_plain(chain([first] if first else [], rows), language, path))
    if not found:
        raise RequestError(f"{path} holds no queries.", "Write one query<TAB>english per line.")
    return found


def read_relevance(path: Path) -> Relevance:
    """Read which documents are relevant: query id -> document id -> grade above 0.

    Rows are `query<TAB>document<TAB>grade`, or with a second column that nobody uses, as TREC has it; spaces may stand
    for the tabs. A header is skipped.

    Raises:
        RequestError: there is no such file, or nothing in it.
        DamagedError: a row has no grade; names its line.
    """
    if not path.is_file():
        raise RequestError(
            f"There is no file {path}.", "Give a TSV file of relevant documents with --relevance."
        )
    grades: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for number, cells in _rows(path):
        parts = cells if len(cells) > 1 else cells[0].split()
        grade = _number(parts[-1])
        if len(parts) not in (3, 4) or grade is None:
            if number == 1 and len(parts) in (3, 4):
                continue
            raise DamagedError(f"{path}, line {number}: not a query, a document and a grade.")
        if grade > 0:
            grades[parts[0]][parts[-2]] = grade
    if not grades:
        raise RequestError(f"{path} names no relevant document.", "Write query<TAB>document<TAB>grade rows.")
    return dict(grades)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            yield number, line.removesuffix("\r").split("\t")


def _are_languages(heads: Sequence[str]) -> bool:
    tags = [head for head in heads if head != "id"]
    return len(tags) > 1 and all(is_code(tag) for tag in tags) and ENGLISH in map(parse, tags)


def _named(
    rows: Iterator[tuple[int, list[str]]], heads: list[str], language: str | None, path: Path
) -> Iterator[Query]:
    for count, (number, cells) in enumerate(rows, 1):
        cell = dict(zip(heads, _checked(cells, len(heads), path, number), strict=True))
        tag = _language(cell.get("language") or language, path)
        yield Query(cell.get("id") or str(count), tag, cell["query"], cell["english"])


def _parallel(rows: Iterator[tuple[int, list[str]]], heads: list[str], path: Path) -> Iterator[Query]:
    tags = [head if head == "id" else parse(head) for head in heads]
    english = tags.index(ENGLISH)
    for count, (number, cells) in enumerate(rows, 1):
        checked = _checked(cells, len(heads), path, number)
        name = checked[tags.index("id")] if "id" in tags else str(count)
        for tag, text in zip(tags, checked, strict=True):
            if tag not in (ENGLISH, "id") and text and checked[english]:
                yield Query(name, tag, text, checked[english])


def _plain(rows: Iterator[tuple[int, list[str]]], language: str | None, path: Path) -> Iterator[Query]:
    for count, (number, cells) in enumerate(rows, 1):
        text, english = _checked(cells, 2, path, number)
        yield Query(str(count), _language(language, path), text, english)


def _checked(cells: list[str], wanted: int, path: Path, number: int) -> list[str]:
    if len(cells) != wanted:
        raise DamagedError(f"{path}, line {number}: {len(cells)} columns instead of {wanted}.")
    return [cell.strip() for cell in cells]


def _language(code: str | None, path: Path) -> str:
    if not code:
        raise RequestError(
            f"{path} does not say the language of its queries.",
            "Name it with --language, or in a header such as de<TAB>en.",
        )
    return parse(code)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
