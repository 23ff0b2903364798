"""Bitext mining: BUCC, two monolingual sides with identifiers and the gold pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from isoglot.corpus.benchmarks.entry import Entry, Folder
from isoglot.corpus.benchmarks.record import Benchmark, Line
from isoglot.corpus.languages import is_code, parse

# BUCC 2017 and 2018: `de-en.sample.de`, `de-en.sample.en`, `de-en.sample.gold`; the test part has no gold
_BUCC = re.compile(r"(([a-z]{2,3})-([a-z]{2,3})\.(sample|training|test))\.\2")
# `de-dev.de`, `de-dev.en`, `de-dev.gold`
_PLAIN = re.compile(r"(([a-z]{2,3})-(train|dev|test))\.\2")


def recognise(name: str, folder: Folder) -> list[Benchmark]:
    """The test set whose first side a file is; none when the other side is missing."""
    if match := _BUCC.fullmatch(name):
        title = "bucc2017" if "2017" in str(folder.path) else "bucc2018"
        return _benchmark(title, match[4], match[1], (match[2], match[3]), folder)
    if match := _PLAIN.fullmatch(name):
        return _benchmark(folder.name, match[3], match[1], (match[2], "en"), folder)
    return []


def _benchmark(name: str, split: str, stem: str, codes: tuple[str, str], folder: Folder) -> list[Benchmark]:
    sides = [folder.entries.get(f"{stem}.{code}") for code in codes]
    if not all(map(is_code, codes)) or sides[0] is None or sides[1] is None:
        return []
    first, second = sides[0], sides[1]
    gold = folder.entries.get(f"{stem}.gold")
    files = (first, second) if gold is None else (first, second, gold)
    read = partial(_lines, first, second)
    pairs = None if gold is None else partial(_gold, gold)
    return [Benchmark(name, "mining", (parse(codes[0]), parse(codes[1])), split, files, read, pairs)]


def _lines(first: Entry, second: Entry) -> Iterator[Line]:
    for side, entry in enumerate((first, second)):
        for _, cells in entry.rows(2):
            yield Line(cells[0], "\t".join(cells[1:]), side)


def _gold(entry: Entry) -> Iterator[tuple[str, str]]:
    for _, cells in entry.rows(2):
        yield cells[0], cells[1]
