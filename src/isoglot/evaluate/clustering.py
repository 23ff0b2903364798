"""Clustering: do sentences of one class lie together, in each language and across all of them?"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.record import Benchmark, Labelled
from isoglot.encode.unit import unit
from isoglot.errors import DamagedError
from isoglot.evaluate.score import Score, Signature
from isoglot.evaluate.setting import Setting
from isoglot.evaluate.task import Space

_RESTARTS = 10
_SEED = 0


@dataclass(frozen=True)
class ClusteringTask:
    """Labelled sentences of one language, or of several together.

    Attributes:
        test_set: whose sentences.
        languages: tags.
        sentences: of all languages, one after another.
        labels: the class of each.
    """

    test_set: str
    languages: tuple[str, ...]
    sentences: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """The kind of task."""
        return "clustering"

    def texts(self) -> Iterable[str]:
        """All sentences."""
        return self.sentences

    def teacher_texts(self) -> Iterable[str]:
        """None: the teacher is not looked at."""
        return ()

    def measure(self, model: Space, teacher: Space | None) -> list[Score]:
        """V-measure of as many clusters as there are classes."""
        numbers = {label: number for number, label in enumerate(sorted(set(self.labels)))}
        clusters = k_means(model.vectors(self.sentences), len(numbers))
        items = np.stack([clusters, [numbers[label] for label in self.labels]], axis=1)
        pooled = len(self.languages) > 1
        protocol = (
            f"k-means of unit vectors, {len(numbers)} clusters, {_RESTARTS} starts" + ", pooled" * pooled
        )
        data = digest_json([self.sentences, self.labels])
        signature = Signature("clustering", protocol, data, model.fingerprint)
        setting = Setting(self.test_set, self.languages, signature)
        metric = "V-measure, languages pooled" if pooled else "V-measure"
        return [setting.score(metric, "v-measure", items, main=not pooled)]


def k_means(vectors: NDArray[np.float32], clusters: int) -> NDArray[np.int64]:
    """Cluster vectors by direction: the best of several k-means++ starts, always the same for the same vectors.

    Args:
        vectors: float [n, d], n at least `clusters`.
        clusters: how many.

    Returns:
        int64 [n], the cluster of each.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    means = KMeans(clusters, n_init=_RESTARTS, random_state=_SEED)
    # threads add up the centres in the order they finish, so sums would vary
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # fewer different vectors than clusters: still a result
        found: NDArray[np.int64] = means.fit_predict(unit(vectors).astype(np.float64)).astype(np.int64)
    return found


def clustering_tasks(benchmarks: Sequence[Benchmark]) -> list[ClusteringTask]:
    """Give a task for every language of every labelled set, and one of all languages that share the classes.

    Raises:
        DamagedError: a set cannot be read, or has fewer than two classes.
    """
    tasks = [_task(one) for one in benchmarks if one.kind == "clustering"]
    groups: dict[tuple[str, frozenset[str]], list[ClusteringTask]] = {}
    for task in tasks:
        groups.setdefault((task.test_set, frozenset(task.labels)), []).append(task)
    return tasks + [_pooled(group) for group in groups.values() if len(group) > 1]


def _task(benchmark: Benchmark) -> ClusteringTask:
    records = list(benchmark.records(Labelled))
    if len({record.label for record in records}) < 2:
        raise DamagedError(
            f"{benchmark.files[0]} has sentences of fewer than two classes.",
            "Nothing can be clustered in it.",
        )
    labels, sentences = zip(*records, strict=True)
    return ClusteringTask(benchmark.test_set, benchmark.languages[:1], sentences, labels)


def _pooled(group: Sequence[ClusteringTask]) -> ClusteringTask:
    return ClusteringTask(
        group[0].test_set,
        tuple(task.languages[0] for task in group),
        tuple(sentence for task in group for sentence in task.sentences),
        tuple(label for task in group for label in task.labels),
    )
