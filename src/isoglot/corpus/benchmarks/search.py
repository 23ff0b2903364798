"""Similarity search: LASER's Tatoeba v1, FLORES-200, and tables of `source` and `target`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import partial

from isoglot.corpus.benchmarks.entry import Entry, Folder
from isoglot.corpus.benchmarks.record import Benchmark, Translation
from isoglot.corpus.languages import is_code, parse
from isoglot.errors import DamagedError

# `tatoeba.deu-eng.deu` beside `tatoeba.deu-eng.eng`
_LASER = re.compile(r"tatoeba\.([a-z]{3})-eng\.\1")
# `deu_Latn.devtest`; plain names are lower case
_FLORES = re.compile(r"([a-z]{3}_[a-z]{4})\.(dev|devtest)")
_HEADER = "source\ttarget"


def recognise(name: str, folder: Folder) -> list[Benchmark]:
    """The test set that a file belongs to; a pair of files is found at the side that is not English."""
    entry = folder.entries[name]
    if match := _LASER.fullmatch(name):
        english = folder.entries.get(f"tatoeba.{match[1]}-eng.eng")
        return _aligned("tatoeba-v1", "", match[1], entry, english)
    if match := _FLORES.fullmatch(name):
        english = folder.entries.get(f"eng_latn.{match[2]}")
        return [] if entry == english else _aligned("flores200", match[2], match[1], entry, english)
    stem = name.removesuffix(".tsv")
    if stem != name and is_code(stem) and entry.first_line() == _HEADER:
        read = partial(_table, entry)
        return [Benchmark(folder.name, "search", (parse(stem), "en"), "", (entry,), read)]
    return []


def _aligned(name: str, split: str, code: str, source: Entry, target: Entry | None) -> list[Benchmark]:
    """Two files of one sentence per line; none when the English one is missing."""
    if target is None:
        return []
    read = partial(_lines, source, target)
    return [Benchmark(name, "search", (parse(code), "en"), split, (source, target), read)]


def _lines(source: Entry, target: Entry) -> Iterator[Translation]:
    for number, pair in enumerate(itertools.zip_longest(source.lines(), target.lines()), start=1):
        if None in pair:
            shorter, longer = (source, target) if pair[0] is None else (target, source)
            raise DamagedError(
                f"{shorter} ends before line {number}, which {longer} has.", "Fetch the test set again."
            )
        yield Translation(*pair)


def _table(entry: Entry) -> Iterator[Translation]:
    for number, cells in entry.rows(2):
        if number > 1:
            yield Translation(cells[0], cells[1])
