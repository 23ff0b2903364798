"""Semantic textual similarity: STSb, English and multilingual, STS 2017 and its extension."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from functools import partial

from isoglot.corpus.benchmarks.entry import Entry, Folder
from isoglot.corpus.benchmarks.record import Benchmark, Similarity
from isoglot.corpus.languages import is_code, parse
from isoglot.errors import DamagedError, RequestError

# SemEval 2017: `STS.input.track5.en-en.txt`, scores in `STS2017.gs/STS.gs.track5.en-en.txt`
_SEMEVAL = re.compile(r"sts\.input\.(track\w+)\.([a-z]{2})-([a-z]{2})\.txt")
# two tracks are Spanish and English: 4a has the pairs of the other tracks' kind, 4b pairs of translation quality; the
# first is what is reported as es-en, the second is kept apart
_SECOND_KIND = {"track4b": "sts17-4b"}
# its names say ar-en and tr-en, but English comes first in these two files
_ENGLISH_FIRST = ("track2", "track6")
# STS2017-extended: `STS.en-de.txt` with sentence, sentence, score
_EXTENDED = re.compile(r"sts\.([a-z]{2})-([a-z]{2})\.txt")
# stsb-multi-mt: `stsb-de-test.csv` with sentence, sentence, score, no header
_MULTILINGUAL = re.compile(r"stsb-([a-z]{2})-(train|dev|test)\.csv")
# STSb as published: tab-separated although named .csv: genre, file, year, id, score, sentence, sentence, ...
_ENGLISH = re.compile(r"sts-(train|dev|test)\.[ct]sv")
# the table of sentence-transformers, all splits in one file
_ALL_SPLITS, _COLUMNS = "stsbenchmark.tsv", ("split", "score", "sentence1", "sentence2")
_HEADER = "score\tsentence1\tsentence2"
_WITH_SPLIT = re.compile(r"(.+)-(train|dev|test)")


def recognise(name: str, folder: Folder) -> list[Benchmark]:
    """The test sets that a file holds."""
    entry = folder.entries[name]
    if match := _SEMEVAL.fullmatch(name):
        first, second = (match[3], match[2]) if match[1] in _ENGLISH_FIRST else (match[2], match[3])
        test_set = _SECOND_KIND.get(match[1], "sts17")
        return [_semeval(test_set, name, entry, folder, (first, second))]
    if match := _EXTENDED.fullmatch(name):
        return [_benchmark("sts17", "", (match[1], match[2]), entry, (0, 1, 2))]
    if match := _MULTILINGUAL.fullmatch(name):
        read = partial(_quoted, entry)
        return [Benchmark("stsb", "sts", (parse(match[1]),) * 2, match[2], (entry,), read)]
    if match := _ENGLISH.fullmatch(name):
        return [_benchmark("stsb", match[1], ("en", "en"), entry, (5, 6, 4))]
    if name == _ALL_SPLITS:
        return [_of_split(entry, split) for split in ("train", "dev", "test")]
    if name.endswith(".tsv") and entry.first_line() == _HEADER:
        return _headed(name.removesuffix(".tsv"), entry, folder)
    return []


def _benchmark(
    name: str, split: str, codes: tuple[str, str], entry: Entry, columns: tuple[int, int, int], skip: int = 0
) -> Benchmark:
    languages = parse(codes[0]), parse(codes[1])
    return Benchmark(name, "sts", languages, split, (entry,), partial(_table, entry, columns, skip))


def _headed(stem: str, entry: Entry, folder: Folder) -> list[Benchmark]:
    """`de-test.tsv` is one language of a split, `es-en-a.tsv` is between two, `es-en-b.tsv` is another set of them."""
    match = _WITH_SPLIT.fullmatch(stem)
    codes = [match[1]] * 2 if match else stem.split("-")[:2]
    if len(codes) != 2 or not all(map(is_code, codes)):
        return []
    split = match[2] if match else ""
    letter = "-b" if not match and stem.split("-")[2:] == ["b"] else ""
    return [_benchmark(folder.name + letter, split, (codes[0], codes[1]), entry, (1, 2, 0), skip=1)]


def _semeval(test_set: str, name: str, entry: Entry, folder: Folder, codes: tuple[str, str]) -> Benchmark:
    scores = _scores_of(name, entry, folder)
    languages = parse(codes[0]), parse(codes[1])
    return Benchmark(test_set, "sts", languages, "", (entry, scores), partial(_scored, entry, scores))


def _scores_of(name: str, entry: Entry, folder: Folder) -> Entry:
    """The gold file: in the same folder or archive, or in a folder beside it, as it is published."""
    wanted = name.replace("sts.input.", "sts.gs.")
    if wanted in folder.entries:
        return folder.entries[wanted]
    original = entry.file.name.replace("STS.input.", "STS.gs.")
    beside = sorted(folder.path.parent.glob(f"*/{original}"))
    if not beside:
        raise RequestError(
            f"{entry} has no scores.", f"Put {original} beside it or in the folder STS2017.gs."
        )
    return Entry(beside[0])


def _scored(entry: Entry, scores: Entry) -> Iterator[Similarity]:
    """Sentences of one file with the scores of another; a pair with an empty score was not judged."""
    values = list(scores.lines())
    pairs = list(entry.rows(2))
    if len(values) != len(pairs):
        raise DamagedError(
            f"{entry} has {len(pairs)} pairs, {scores} has {len(values)} scores.", "Fetch both again."
        )
    for (number, cells), value in zip(pairs, values, strict=True):
        if value.strip():
            yield Similarity(cells[0], cells[1], _number(value, scores, number))


def _table(entry: Entry, columns: tuple[int, int, int], skip: int) -> Iterator[Similarity]:
    first, second, score = columns
    for number, cells in entry.rows(max(columns) + 1):
        if number > skip:
            yield Similarity(cells[first], cells[second], _number(cells[score], entry, number))


def _quoted(entry: Entry) -> Iterator[Similarity]:
    reader = csv.reader((line + "\n" for line in entry.lines()), strict=True)
    try:
        for cells in reader:
            if len(cells) != 3:
                raise DamagedError(
                    f"{entry}, line {reader.line_num}: {len(cells)} columns instead of 3.", "Fetch it again."
                )
            yield Similarity(cells[0], cells[1], _number(cells[2], entry, reader.line_num))
    except csv.Error as error:
        raise DamagedError(f"{entry}, line {reader.line_num}: {error}.", "Fetch it again.") from error


def _of_split(entry: Entry, split: str) -> Benchmark:
    return Benchmark("stsb", "sts", ("en", "en"), split, (entry,), partial(_split_rows, entry, split))


def _split_rows(entry: Entry, split: str) -> Iterator[Similarity]:
    rows = entry.rows(len(_COLUMNS))
    _, names = next(rows, (0, []))
    if not set(_COLUMNS) <= set(names):
        raise DamagedError(f"{entry} has no columns {', '.join(_COLUMNS)}.", "Fetch it again.")
    at, score, first, second = (names.index(column) for column in _COLUMNS)
    for number, cells in rows:
        if len(cells) != len(names):
            raise DamagedError(f"{entry}, line {number}: {len(cells)} columns.", "Fetch it again.")
        if cells[at] == split:
            yield Similarity(cells[first], cells[second], _number(cells[score], entry, number))


def _number(text: str, entry: Entry, line: int) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise DamagedError(f"{entry}, line {line}: {text[:40]!r} is no score.", "Fetch the test set again.")
    return score
