"""Two models on the same items: which differences are more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import RequestError
from isoglot.evaluate.results import Evaluation, Result
from isoglot.evaluate.score import Signature
from isoglot.evaluate.statistics import PairedDifference, of_samples, paired_difference, summarised
from isoglot.progress import SILENT, Progress

SAMPLES = 1000
_PER_SCORE = 100  # samples for each score of a family: so that its smallest p is still small after Holm
NOISE = 0.05
ADJUSTMENT = (
    "Paired bootstrap; p of a test set and metric in several languages are adjusted for their number (Holm 1979),"
    f" and a difference is noise from p = {NOISE} on. Intervals are those of each difference alone."
)
_BLOCK = 500  # samples drawn together
Items = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Difference:
    """One score of both models.

    Attributes:
        languages: of the score; empty for the mean over `over` languages.
        over: how many scores the mean is over; 1 for a score itself.
        first, second: what each model has.
        difference: second minus first.
        low, high: bounds of its 95 % interval.
        p: how likely chance alone gives such a difference; see `ADJUSTMENT`.
        contaminated: whether a model is known to be trained on sentences of the test set.
        main: whether it stands for its task; of others a higher value need not be better.
    """

    task: str
    test_set: str
    languages: tuple[str, ...]
    over: int
    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    contaminated: bool
    main: bool

    @property
    def noise(self) -> bool:
        """Whether it may be chance."""
        return self.p >= NOISE


@dataclass(frozen=True)
class Compared:
    """Two evaluations side by side.

    Attributes:
        first, second: names of the models.
        rows: one per score that both have, and the means over languages, empty `languages`, before their members.
        only_first, only_second: keys of scores that one side alone has.
    """

    first: str
    second: str
    rows: tuple[Difference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


def compare(
    first: Evaluation, second: Evaluation, seed: int = 0, samples: int = SAMPLES, progress: Progress = SILENT
) -> Compared:
    """Compare two models in every score that both have.

    Args:
        first: the one that is there.
        second: the one that may be better.
        seed: of the bootstrap.
        samples: of the bootstrap, at least; many languages take more.
        progress: where to report.

    Raises:
        RequestError: a signature differs in more than the model, or no score is in both.
        DamagedError: the items of an evaluation are missing or damaged.
    """
    both = [key for key in first.results if key in second.results]
    if not both:
        raise RequestError(
            f"{first.path} and {second.path} have no score in common.", "Evaluate both on the same test sets."
        )
    for key in both:
        _refuse_other_signature(first.results[key], second.results[key])
    items = first.items(), second.items()
    rows: list[Difference] = []
    with progress.task("bootstrap", len(both), "scores") as task:
        for family in _families([first.results[key] for key in both]):
            rows += _compare_family(family, second, items, seed, samples)
            task.advance(len(family))
    return Compared(
        first.model,
        second.model,
        tuple(rows),
        tuple(key for key in first.results if key not in second.results),
        tuple(key for key in second.results if key not in first.results),
    )


def adjusted(p: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979, A simple sequentially rejective multiple test procedure)."""
    order = np.argsort(p, kind="stable")
    scaled = np.asarray(p)[order] * np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in found]


def _families(results: Sequence[Result]) -> list[list[Result]]:
    """Scores of one test set and metric, in several languages."""
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for one in results:
        groups.setdefault((one.task, one.test_set, one.metric), []).append(one)
    return list(groups.values())


def _compare_family(
    family: Sequence[Result], second: Evaluation, items: tuple[Items, Items], seed: int, samples: int
) -> list[Difference]:
    pairs = [(one, second.results[one.key]) for one in family]
    enough = max(samples, _PER_SCORE * len(family))
    drawn = [
        paired_difference(one.statistic, items[1][one.key], items[0][one.key], seed, enough) for one in family
    ]
    p = adjusted([one.p for one in drawn])
    rows = [
        _difference([pair], replace(found, p=value))
        for pair, found, value in zip(pairs, drawn, p, strict=True)
    ]
    if len(family) == 1:
        return rows
    return [_difference(pairs, _macro(family, items, seed, samples)), *rows]


def _difference(pairs: Sequence[tuple[Result, Result]], found: PairedDifference) -> Difference:
    one = pairs[0][0]
    return Difference(
        task=one.task,
        test_set=one.test_set,
        languages=one.languages if len(pairs) == 1 else (),
        over=len(pairs),
        metric=one.metric,
        first=float(np.mean([first.value for first, _ in pairs])),
        second=float(np.mean([second.value for _, second in pairs])),
        difference=found.difference,
        low=found.low,
        high=found.high,
        p=found.p,
        contaminated=any(side.contaminated for pair in pairs for side in pair),
        main=one.main,
    )


def _macro(family: Sequence[Result], items: tuple[Items, Items], seed: int, samples: int) -> PairedDifference:
    """The mean over languages.

    Test sets of one length may be translations of each other (STSb), so their items are drawn by row number, the same
    rows in every language; where they are not, that does no harm.
    """
    drawn = np.concatenate([
        _mean_of([_drawn(one, items, weights[one.n]) for one in family])
        for weights in _weights({one.n for one in family}, seed, samples)
    ])  # fmt: skip
    whole = _mean_of([_drawn(one, items, np.ones((1, one.n), np.int64)) for one in family])
    return summarised(float(whole[0]), drawn)


def _weights(lengths: set[int], seed: int, samples: int) -> Iterator[dict[int, NDArray[np.int64]]]:
    """How often each row is drawn in each sample, a block of samples at a time: length -> int64 [block, length]."""
    random = np.random.default_rng(seed)
    for start in range(0, samples, _BLOCK):
        block = min(_BLOCK, samples - start)
        yield {n: random.multinomial(n, np.full(n, 1 / n), size=block) for n in sorted(lengths)}


def _drawn(one: Result, items: tuple[Items, Items], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    first, second = (of_samples(one.statistic, side[one.key], weights) for side in items)
    return second - first


def _mean_of(differences: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.mean(differences, axis=0)
    return found


def _refuse_other_signature(first: Result, second: Result) -> None:
    """Refuse scores that measured different things.

    Raises:
        RequestError: they differ in a field other than the model; names it.
    """
    named = [field.name for field in fields(Signature) if field.name != "model"]
    found = {name: (getattr(first.signature, name), getattr(second.signature, name)) for name in named}
    found |= {"isoglot": (first.version, second.version), "items": (str(first.n), str(second.n))}
    for name, (one, other) in found.items():
        if one != other:
            raise RequestError(
                f"{first.key} cannot be compared: {name} is {one[:40] or 'none'} in the first evaluation and"
                f" {other[:40] or 'none'} in the second.",
                "Evaluate both models anew on the same data, with the same --teacher and version of isoglot.",
            )
