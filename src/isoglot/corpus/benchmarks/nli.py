"""Natural language inference: XNLI, its translated training set, and tables of premise, hypothesis and label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from isoglot.corpus.benchmarks.entry import Entry, Folder
from isoglot.corpus.benchmarks.record import Benchmark, Inference
from isoglot.corpus.languages import is_code, parse
from isoglot.errors import DamagedError

_XNLI = re.compile(r"xnli\.(dev|test)\.tsv")
_TRAINING = re.compile(r"multinli\.train\.([a-z]{2})\.tsv")
_XNLI_COLUMNS = ("language", "sentence1", "sentence2", "gold_label")
_COLUMNS = {"premise\thypo\tlabel", "premise\thypothesis\tlabel"}
# the translated training sets spell it as it was in the script that made them
_LABELS = {"contradictory": "contradiction"}


def recognise(name: str, folder: Folder) -> list[Benchmark]:
    """The test sets that a file holds: XNLI has all its languages in one."""
    entry = folder.entries[name]
    if match := _XNLI.fullmatch(name):
        return [_of_language(entry, match[1], code) for code in _languages(entry)]
    if match := _TRAINING.fullmatch(name):
        return [_table("xnli", "train", match[1], entry)]
    stem = name.removesuffix(".tsv")
    if stem != name and is_code(stem) and entry.first_line() in _COLUMNS:
        return [_table(folder.name, "", stem, entry)]
    return []


def _table(name: str, split: str, code: str, entry: Entry) -> Benchmark:
    return Benchmark(name, "nli", (parse(code),) * 2, split, (entry,), partial(_rows, entry))


def _rows(entry: Entry) -> Iterator[Inference]:
    for number, cells in entry.rows(3):
        if number > 1:
            yield Inference(cells[0], cells[1], _LABELS.get(cells[2], cells[2]))


def _of_language(entry: Entry, split: str, code: str) -> Benchmark:
    return Benchmark("xnli", "nli", (parse(code),) * 2, split, (entry,), partial(_one_language, entry, code))


def _languages(entry: Entry) -> list[str]:
    return list(dict.fromkeys(code for code, _ in _xnli_rows(entry)))


def _one_language(entry: Entry, code: str) -> Iterator[Inference]:
    return (inference for found, inference in _xnli_rows(entry) if found == code)


def _xnli_rows(entry: Entry) -> Iterator[tuple[str, Inference]]:
    """Code and record of every row; the sentences stand between parse trees, so columns go by their heads."""
    rows = entry.rows(len(_XNLI_COLUMNS))
    _, names = next(rows, (0, []))
    missing = [column for column in _XNLI_COLUMNS if column not in names]
    if missing:
        raise DamagedError(f"{entry} has no column {missing[0]}.", "Fetch XNLI 1.0 again.")
    language, first, second, label = (names.index(column) for column in _XNLI_COLUMNS)
    for number, cells in rows:
        if len(cells) != len(names):
            raise DamagedError(
                f"{entry}, line {number}: {len(cells)} columns instead of {len(names)}.", "Fetch it again."
            )
        yield cells[language], Inference(cells[first], cells[second], cells[label])
