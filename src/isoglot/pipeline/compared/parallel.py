"""Parallel text of a run without a teacher: the splits, leaks and pool that distillation has."""

from __future__ import annotations

from collections.abc import Sequence

from isoglot.compared_config import ComparedRecipe
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import hold_out
from isoglot.pipeline.compared.material import Parallel
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.leaks import clear
from isoglot.pipeline.run import corpus_of
from isoglot.progress import Progress
from isoglot.teacher.coverage import Covered


def parallel_text(
    folder: RunFolder, recipe: ComparedRecipe, benchmarks: Sequence[Benchmark], progress: Progress
) -> Parallel | None:
    """Build or open the corpus, drop what leaks into test sets, and hold sentences out; None without sources.

    Raises:
        RequestError: a split is empty.
        DamagedError: a test set or the corpus is damaged.
    """
    if not recipe.corpus.sources:
        return None
    corpus = corpus_of(recipe, folder.corpus, progress)
    covered = Covered(corpus, frozenset())
    cleared = clear(covered, benchmarks, progress, keep_leaks=recipe.evaluate.keep_leaks)
    others = covered.sources("train")  # as in distillation, so that both are searched in one pool
    dev = hold_out(cleared.dev, others, recipe.evaluate.pool, recipe.evaluate.dev_queries)
    test = hold_out(covered.groups("test"), others, recipe.evaluate.pool, recipe.evaluate.queries)
    for name, size in (
        ("train", len(cleared.train.targets)), ("dev", len(dev.queries)), ("test", len(test.queries)),
    ):  # fmt: skip
        if size == 0:
            raise RequestError(
                f"The {name} split of {corpus.folder} is empty.",
                "Give more sentences, or other --set corpus.dev_percent and corpus.test_percent.",
            )
    return Parallel(corpus, cleared.train, dev, test, cleared.record, cleared.inputs)
