"""Which tasks an evaluation runs, and why it does not run the others."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.matching import matches
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.corpus.languages import name, parse
from isoglot.errors import RequestError
from isoglot.evaluate.task import Task
from isoglot.evaluate.tasks import tasks_of

# task -> what it needs among the test sets
_NEEDS: Mapping[str, str] = {
    "sts": "scored sentence pairs (STS 2017, STSb)",
    "search": "a sentence and its translation per line (Tatoeba, FLORES-200)",
    "mining": "two monolingual files with gold pairs (BUCC)",
    "bias": "scored sentence pairs, or translations line by line, in several languages",
    "clustering": "sentences with labels",
}
HELD_OUT, COMPAT, HEALTH, MTEB = "heldout", "compat", "health", "mteb:"
NAMES = (HELD_OUT, *_NEEDS, COMPAT, HEALTH)
_ENGLISH = "en"


@dataclass(frozen=True)
class Suite:
    """What is to be measured.

    Attributes:
        names: tasks, in the order of `NAMES`.
        mteb: names of MTEB's tasks.
    """

    names: tuple[str, ...]
    mteb: tuple[str, ...] = ()


ALL = Suite(NAMES)


@dataclass(frozen=True)
class Skipped:
    """A task, or a part of one, that is not measured."""

    task: str
    reason: str


def parse_suite(text: str | None) -> Suite:
    """Read "sts,search,mteb:STS17,Tatoeba"; all tasks but MTEB's without a text.

    Behind `mteb:` every name that is no task of ours is one of MTEB's.

    Raises:
        RequestError: there is no task of a name.
    """
    if text is None:
        return ALL
    wanted: list[str] = []
    mteb: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        if part in NAMES:
            wanted.append(part)
        elif part.startswith(MTEB) or mteb:
            mteb.append(part.removeprefix(MTEB))
        else:
            near = difflib.get_close_matches(part, NAMES, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise RequestError(f"There is no task {part!r}.{meant}", f"Known: {', '.join(NAMES)}, mteb:TASK.")
    if not wanted and not any(mteb):
        raise RequestError("--suite names no task.", f"Known: {', '.join(NAMES)}, mteb:TASK.")
    return Suite(tuple(task for task in NAMES if task in wanted), tuple(filter(None, mteb)))


def parse_languages(text: str | None) -> tuple[str, ...]:
    """Read "de,fr,zh-Hans" as canonical tags; none without a text.

    Raises:
        RequestError: one is no language.
    """
    return tuple(parse(code.strip()) for code in (text or "").split(",") if code.strip())


def benchmarks_in(paths: Sequence[Path], languages: Sequence[str], *, strict: bool = True) -> list[Benchmark]:
    """Open the test sets below some paths, in some languages: all when none are named.

    One between two languages is kept when one of them is wanted and the other is wanted too or is English.

    Args:
        paths: files and folders.
        languages: canonical tags.
        strict: refuse a language that no test set is in.

    Raises:
        RequestError: a path holds no test set, or no test set is in one of the languages.
    """
    found = open_benchmarks(paths)
    if not languages or not found:
        return found
    kept = [benchmark for benchmark in found if _is_wanted(benchmark, languages)]
    for tag in languages if strict else ():
        if not any(matches(test, tag) for benchmark in kept for test in benchmark.languages):
            raise RequestError(
                f"No test set below {', '.join(map(str, paths))} is in {name(tag)} ({tag}).",
                "Leave it out of --languages, or give more --data.",
            )
    return kept


def plan(suite: Suite, benchmarks: Sequence[Benchmark]) -> tuple[list[Task], list[Skipped]]:
    """Make tasks of the test sets, and say which kinds there are none of."""
    wanted = [task for task in suite.names if task in _NEEDS]
    tasks = tasks_of(benchmarks, wanted)
    there = {task.name for task in tasks}
    lacks = "no test set was named with --data" if not benchmarks else "none of the test sets has"
    return tasks, [
        Skipped(task, f"{lacks}{'; it needs' if not benchmarks else ''} {_NEEDS[task]}")
        for task in wanted
        if task not in there
    ]


def _is_wanted(benchmark: Benchmark, languages: Sequence[str]) -> bool:
    named = [any(matches(test, tag) for tag in languages) for test in benchmark.languages]
    return any(named) and all(
        wanted or test == _ENGLISH for wanted, test in zip(named, benchmark.languages, strict=True)
    )
