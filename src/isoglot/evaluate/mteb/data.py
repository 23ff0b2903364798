"""Local test sets in the shape in which MTEB's tasks hold theirs, so that they run without a hub.

What is local need not be what MTEB publishes under its revision (rows may be missing or ordered otherwise), so results
on it name a digest of the files instead of that revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.matching import matches
from isoglot.corpus.benchmarks.record import Benchmark, Line, Similarity, Translation
from isoglot.errors import DamagedError
from isoglot.evaluate.mteb.subsets import Subsets

Rows = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Source:
    """The test set of ours that a task of MTEB is about.

    Attributes:
        names: of the test set.
        splits: MTEB's name of a split -> ours.
        form: how MTEB holds a row.
    """

    names: tuple[str, ...]
    splits: Mapping[str, str]
    form: Literal["similarity", "translation", "gold pairs", "gold in all"]


_BUCC = ("bucc2018", "bucc2017")  # their training parts are the same, and MTEB's is that one
KNOWN: Mapping[str, Source] = {
    "STS17": Source(("sts17",), {"test": ""}, "similarity"),
    "STSBenchmark": Source(("stsb",), {"test": "test"}, "similarity"),
    "STSBenchmarkMultilingualSTS": Source(("stsb",), {"dev": "dev", "test": "test"}, "similarity"),
    "Tatoeba": Source(("tatoeba-v1",), {"test": ""}, "translation"),
    "BUCC": Source(_BUCC, {"test": "training"}, "gold in all"),
    "BUCC.v2": Source(_BUCC, {"test": "training"}, "gold pairs"),
}


def local_data(task: str, subsets: Subsets, benchmarks: Sequence[Benchmark]) -> dict[str, dict[str, Rows]]:
    """Read what local test sets have of a task.

    Args:
        task: MTEB's name.
        subsets: the subsets that are wanted, with the tags of their languages.
        benchmarks: the local test sets.

    Returns:
        split -> subset -> column -> values; only what is there.

    Raises:
        DamagedError: a file is broken.
    """
    source = KNOWN.get(task)
    if source is None:
        return {}
    found: dict[str, dict[str, Rows]] = {}
    for split, ours in source.splits.items():
        members = [one for one in benchmarks if one.name in source.names and one.split == ours]
        for name, benchmark, swapped in _matched(subsets, members):
            found.setdefault(split, {})[name] = _rows(benchmark, source, swapped=swapped)
    return found


def revision_of(task: str, benchmarks: Sequence[Benchmark]) -> str:
    """What stands in MTEB's files in place of a revision on the hub: a digest of all local rows of a task."""
    source = KNOWN[task]
    digests = sorted(
        one.digest for one in benchmarks if one.name in source.names and one.split in source.splits.values()
    )
    return f"isoglot-local-{digest_json(digests)[:16]}"


def _matched(subsets: Subsets, members: Sequence[Benchmark]) -> Iterator[tuple[str, Benchmark, bool]]:
    """Subset, its benchmark, and whether their languages are in opposite order; equal tags go before similar ones."""
    left = dict(subsets)
    for same in (_equal, matches, _in_any_script):
        for name, tags in list(left.items()):
            first, second = tags[0], tags[-1]
            for benchmark in members:
                one, two = benchmark.languages
                straight = same(first, one) and same(second, two)
                if straight or (same(first, two) and same(second, one)):
                    yield name, benchmark, not straight
                    members = [other for other in members if other is not benchmark]
                    del left[name]
                    break


def _equal(theirs: str, ours: str) -> bool:
    return theirs == ours


def _in_any_script(theirs: str, ours: str) -> bool:
    """MTEB states a script for every language (of North Moluccan Malay, Devanagari), test sets hardly ever do."""
    return theirs.split("-")[0] == ours


def _rows(benchmark: Benchmark, source: Source, *, swapped: bool) -> Rows:
    columns = ("sentence2", "sentence1") if swapped else ("sentence1", "sentence2")
    if source.form == "similarity":
        scored = list(benchmark.records(Similarity))
        sides: tuple[Sequence[str], ...] = (
            [record.sentence1 for record in scored],
            [record.sentence2 for record in scored],
        )
        return {**dict(zip(columns, sides, strict=True)), "score": [record.score for record in scored]}
    if source.form == "translation":
        pairs = list(benchmark.records(Translation))
        sides = [pair.source for pair in pairs], [pair.target for pair in pairs]
        return dict(zip(columns, sides, strict=True))
    return _mined(benchmark, everything=source.form == "gold in all")


def _mined(benchmark: Benchmark, *, everything: bool) -> Rows:
    """BUCC as MTEB has it: gold sentences against the gold of the other side, or against that whole side."""
    texts: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for line in benchmark.records(Line):
        texts[line.side][line.identifier] = line.text
    gold = list(benchmark.gold()) if benchmark.gold else []
    for pair in gold:
        for side, identifier in enumerate(pair):
            if identifier not in texts[side]:
                raise DamagedError(
                    f"{benchmark.files[-1]} names {identifier}, which no line has.", "Fetch it again."
                )
    first = [texts[0][one] for one, _ in gold]
    if not everything:
        return {"sentence1": first, "sentence2": [texts[1][two] for _, two in gold]}
    place = {identifier: number for number, identifier in enumerate(texts[1])}
    return {
        "sentence1": first,
        "sentence2": list(texts[1].values()),
        "gold": [(number, place[two]) for number, (_, two) in enumerate(gold)],
    }
