"""Tatoeba's own export: a folder with `sentences` (id, language, text) and `links` (id, id of a translation)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.packed import SUFFIXES
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError

_UNKNOWN = "\\N"  # the export's mark for a sentence whose language nobody has set


def read_tatoeba(folder: Path, corpus: str, border: Border) -> Iterator[Pair]:
    """Yield each sentence of the source language with each of its translations that are wanted, in link order.

    Sentences of the source and the wanted languages are held in memory.

    Raises:
        RequestError: a file is missing.
        DamagedError: a line has another number of columns.
    """
    sentences_file, links_file = export_files(folder)
    sentences: dict[str, tuple[str, str]] = {}
    for number, (identifier, code, text) in _rows(sentences_file, 3):
        if code in ("", _UNKNOWN):
            continue
        # codes of Tatoeba's own stay apart as private use; nobody can mean them by accident
        tag = border.tag(code if is_code(code) else f"x-{code}", sentences_file, number)
        if tag == border.source_lang or border.wants(tag):
            sentences[identifier] = (tag, text)
    for _, (first, second) in _rows(links_file, 2):
        source, target = sentences.get(first), sentences.get(second)
        # every link is there in both directions: the one from the source language is enough
        if source and target and source[0] == border.source_lang != target[0]:
            yield Pair(source[1], target[1], source[0], target[0], corpus)


def export_files(folder: Path) -> tuple[Path, Path]:
    """Find `sentences` and `links`, as .tsv or .csv (both are tab separated), compressed or not.

    Raises:
        RequestError: one is missing.
    """
    found = []
    for name in ("sentences", "links"):
        candidates = [
            folder / f"{name}{kind}{packed}" for kind in (".tsv", ".csv") for packed in ("", *SUFFIXES)
        ]
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            raise RequestError(
                f"{folder} has no {name}.tsv or {name}.csv.", "Give the folder of a Tatoeba export."
            )
        found.append(path)
    return found[0], found[1]


def _rows(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.split("\t")
        if len(cells) != width:
            raise DamagedError(
                f"{path}, line {number}: {len(cells)} columns instead of {width}.", "Mend that line."
            )
        yield number, cells
