"""From test sets to the tasks that measure a model on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.errors import RequestError
from isoglot.evaluate.bias import bias_tasks
from isoglot.evaluate.bitext import mining_tasks
from isoglot.evaluate.clustering import clustering_tasks
from isoglot.evaluate.search import search_tasks
from isoglot.evaluate.sts import similarity_tasks
from isoglot.evaluate.task import Task

TASKS = ("sts", "search", "mining", "bias", "clustering")


def tasks_of(benchmarks: Sequence[Benchmark], wanted: Collection[str]) -> list[Task]:
    """Read test sets into the tasks they serve, in the order of `TASKS`.

    Training splits are never reported; those for bitext mining give its threshold.

    Args:
        benchmarks: as `corpus.benchmarks.layout.open_benchmarks` finds them.
        wanted: names of tasks, out of `TASKS`.

    Raises:
        RequestError: a name is unknown, or two files hold the same test set in the same languages.
        DamagedError: a test set cannot be read.
    """
    unknown = sorted(set(wanted) - set(TASKS))
    if unknown:
        raise RequestError(f"There is no task {unknown[0]!r}.", f"Choose from {', '.join(TASKS)}.")
    reported = [one for one in benchmarks if one.split != "train" and one.kind != "nli"]
    _refuse_doubles(reported)
    similarity = similarity_tasks(reported) if {"sts", "bias"} & set(wanted) else []
    search = search_tasks(reported) if {"search", "bias"} & set(wanted) else []
    found: list[Task] = []
    found += similarity if "sts" in wanted else []
    found += search if "search" in wanted else []
    found += mining_tasks(benchmarks) if "mining" in wanted else []
    found += bias_tasks(similarity, search) if "bias" in wanted else []
    found += clustering_tasks(reported) if "clustering" in wanted else []
    return found


def _refuse_doubles(benchmarks: Sequence[Benchmark]) -> None:
    """Refuse two files that say they are the same, for their scores could not be told apart."""
    known: dict[tuple[str, str, tuple[str, str]], Benchmark] = {}
    for one in benchmarks:
        other = known.setdefault((one.kind, one.test_set, one.languages), one)
        if other is not one:
            raise RequestError(
                f"{other.files[0]} and {one.files[0]} both hold {one.test_set} in {' and '.join(one.languages)}.",
                "Name only one of them.",
            )
