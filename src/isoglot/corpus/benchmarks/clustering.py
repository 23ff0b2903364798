"""Labelled sentences for clustering: SIB-200, MASSIVE, and tables of `label` and `sentence`."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from functools import partial

from isoglot.corpus.benchmarks.entry import Entry, Folder
from isoglot.corpus.benchmarks.record import Benchmark, Labelled
from isoglot.corpus.languages import is_code, parse
from isoglot.errors import DamagedError

# SIB-200: `deu_Latn/test.tsv`, quoted as a spreadsheet does it
_SIB = re.compile(r"(train|dev|test)\.tsv")
_SIB_HEADER = "index_id\tcategory\ttext"
# MASSIVE: `de-DE.jsonl` with all splits; its 18 scenarios are the labels, as in MTEB's clustering and classification
_MASSIVE = re.compile(r"([a-z]{2}-[a-z]{2})\.jsonl")
_MASSIVE_FIELDS = ("partition", "scenario", "utt")
# `de-test.tsv`, or `de.tsv` when there is one split
_TABLE = re.compile(r"(.+?)(?:-(train|dev|test))?\.tsv")
_HEADER = "label\tsentence"


def recognise(name: str, folder: Folder) -> list[Benchmark]:
    """The test sets that a file holds."""
    entry = folder.entries[name]
    if match := _SIB.fullmatch(name):
        if is_code(folder.name) and entry.first_line() == _SIB_HEADER:
            return [_benchmark("sib200", match[1], folder.name, entry, partial(_quoted, entry))]
        return []
    if match := _MASSIVE.fullmatch(name):
        splits = ("train", "dev", "test") if is_code(match[1]) and _is_massive(entry) else ()
        return [
            _benchmark("massive", split, match[1], entry, partial(_utterances, entry, split))
            for split in splits
        ]
    match = _TABLE.fullmatch(name)
    if match and is_code(match[1]) and entry.first_line() == _HEADER:
        return [_benchmark(folder.name, match[2] or "", match[1], entry, partial(_table, entry))]
    return []


def _benchmark(
    name: str, split: str, code: str, entry: Entry, read: partial[Iterator[Labelled]]
) -> Benchmark:
    return Benchmark(name, "clustering", (parse(code),) * 2, split, (entry,), read)


def _table(entry: Entry) -> Iterator[Labelled]:
    for number, cells in entry.rows(2):
        if number > 1:
            yield Labelled(cells[0], cells[1])


def _quoted(entry: Entry) -> Iterator[Labelled]:
    reader = csv.reader((line + "\n" for line in entry.lines()), delimiter="\t", strict=True)
    try:
        for number, cells in enumerate(reader):
            if len(cells) != 3:
                raise DamagedError(
                    f"{entry}, line {reader.line_num}: {len(cells)} columns instead of 3.", "Fetch it again."
                )
            if number:
                yield Labelled(cells[1], cells[2])
    except csv.Error as error:
        raise DamagedError(f"{entry}, line {reader.line_num}: {error}.", "Fetch it again.") from error


def _is_massive(entry: Entry) -> bool:
    try:
        first = json.loads(entry.first_line())
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and set(_MASSIVE_FIELDS) <= set(first)


def _utterances(entry: Entry, split: str) -> Iterator[Labelled]:
    for number, line in enumerate(entry.lines(), start=1):
        try:
            utterance = json.loads(line)
            partition, label, text = (str(utterance[field]) for field in _MASSIVE_FIELDS)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedError(
                f"{entry}, line {number} is no object with {', '.join(_MASSIVE_FIELDS)}.", "Fetch it again."
            ) from error
        if partition == split:
            yield Labelled(label, text)
