"""Training text without the test sets that will be reported, or with them and marked so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoglot.artefact import digest_json
from isoglot.config import EvaluateConfig
from isoglot.corpus.audit.groups import GroupLeaks, find_leaks, without_leaks
from isoglot.corpus.audit.index import build_index
from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.corpus.store import Groups
from isoglot.errors import RequestError
from isoglot.progress import Progress
from isoglot.teacher.coverage import Covered

_NEVER_REPORTED = "train"  # the split of a test set that is there to be trained on


@dataclass(frozen=True)
class Cleared:
    """What the student learns from and is chosen by.

    Attributes:
        train: groups to train on.
        dev: groups that checkpoints are compared on.
        record: for the student's card: what was found and done; empty when no test set was named.
        inputs: what a stage that uses the groups depends on: digest of test sets and choice, if there are any.
    """

    train: Groups
    dev: Groups
    record: Mapping[str, Any]
    inputs: Mapping[str, str]


def open_reported(config: EvaluateConfig) -> list[Benchmark]:
    """Open the test sets that will be reported; quick, so that a wrong path ends a run before its long stages.

    Raises:
        RequestError: a path holds no test set, or all hold only splits that are for training.
    """
    found = open_benchmarks([Path(path) for path in config.benchmarks])
    reported = [benchmark for benchmark in found if benchmark.split != _NEVER_REPORTED]
    if config.benchmarks and not reported:
        raise RequestError(
            f"{', '.join(config.benchmarks)} holds only training splits of test sets.",
            "Name the folder with dev or test.",
        )
    return reported


def clear(
    covered: Covered, benchmarks: Sequence[Benchmark], progress: Progress, *, keep_leaks: bool
) -> Cleared:
    """Drop training and dev sentences that are in test sets, or keep them and say so.

    A source sentence that leaks takes its translations with it. The corpus and the teacher store stay whole.

    Raises:
        DamagedError: a test set is damaged.
    """
    train, dev = covered.groups("train"), covered.groups("dev")
    if not benchmarks:
        return Cleared(train, dev, {}, {})
    source_lang = str(covered.corpus.manifest.config["source_lang"])
    index = build_index(benchmarks, source_lang, with_ngrams=False)
    found = find_leaks(train, index), find_leaks(dev, index)
    digest = digest_json([keep_leaks, [benchmark.digest for benchmark in benchmarks]])
    lost = sum(_pairs(groups, leaks) for groups, leaks in zip((train, dev), found, strict=True))
    record = _record(index.test_sets, found, lost, digest, kept=keep_leaks)
    progress.stage("leaks", _line(record))
    if not keep_leaks:
        train, dev = without_leaks(train, found[0]), without_leaks(dev, found[1])
    return Cleared(train, dev, record, {"benchmarks": digest})


def _pairs(groups: Groups, leaks: GroupLeaks) -> int:
    """Translations that leak or whose source sentence does."""
    return int((leaks.target | leaks.source[groups.group]).sum())


def _record(
    test_sets: Sequence[str], found: Sequence[GroupLeaks], pairs: int, digest: str, *, kept: bool
) -> dict[str, Any]:
    counts: dict[str, dict[str, Any]] = {}
    for test_set in test_sets:
        sources = sum(leaks.groups[test_set] for leaks in found)
        translations = sum(leaks.translations[test_set] for leaks in found)
        contaminated = kept and sources + translations > 0
        counts[test_set] = {"sources": sources, "translations": translations, "contaminated": contaminated}
    return {"kept": kept, "pairs": pairs, "benchmarks": digest, "test_sets": counts}


def _line(record: Mapping[str, Any]) -> str:
    named = [test_set for test_set, of in record["test_sets"].items() if of["sources"] or of["translations"]]
    if not named:
        return f"no training sentence is in {', '.join(record['test_sets'])}"
    done = "kept, so scores on them are contaminated" if record["kept"] else "dropped"
    return f"{record['pairs']} training pairs are in {', '.join(named)}: {done}"
