"""The sentences that the health of a space is measured on: translations whose originals the teacher knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.record import Benchmark, Translation
from isoglot.evaluate.health import SAMPLE, Sample, evenly, health_of
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.lengths import reader_of
from isoglot.evaluate.task import Space
from isoglot.teacher.protocol import Teacher

T = TypeVar("T")


@dataclass(frozen=True)
class Parallel:
    """Sentences and their originals.

    Attributes:
        pairs: tag of a language -> (sentence, original), each different pair once, at most 1 000, evenly drawn.
        source_language: tag of the originals.
        test_sets: where they are from.
    """

    pairs: Mapping[str, Sequence[tuple[str, str]]]
    source_language: str
    test_sets: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Digest of all texts."""
        return digest_json(dict(self.pairs))


def parallel_texts(
    benchmarks: Iterable[Benchmark], test: HeldOut | None = None, source_language: str = "en"
) -> Parallel:
    """Collect sentences and their originals.

    Args:
        benchmarks: test sets; those of kind "search" whose second language is `source_language` are read.
        test: held-out sentences of a corpus.
        source_language: tag of the originals.
    """
    found: dict[str, dict[tuple[str, str], None]] = {}
    test_sets: dict[str, None] = {}
    for benchmark in benchmarks:
        language, second = benchmark.languages
        if benchmark.kind == "search" and second == source_language != language:
            pairs = benchmark.records(Translation)
            found.setdefault(language, {}).update((tuple(pair), None) for pair in pairs)  # type: ignore[misc]
            test_sets[benchmark.test_set] = None
    if test is not None:
        for row, query in enumerate(test.queries):
            pair = query, test.pool[test.gold[row]]
            found.setdefault(test.languages[test.language[row]], {})[pair] = None
        test_sets["held-out"] = None
    return Parallel(
        {tag: _drawn(list(pairs)) for tag, pairs in found.items()}, source_language, tuple(test_sets)
    )


def measure_health(
    texts: Parallel, model: Space, teacher: Space | None, encoder: Teacher, owner: Teacher | None
) -> dict[str, Any]:
    """Measure the health of a model's space: what stands in scores.json under "health".

    Args:
        texts: at least one language; both spaces know them: the model all of them, the teacher the originals.
        model: the space that is looked at.
        teacher: the space that it should be; None: only the model's own geometry is measured.
        encoder: the model, whose tokens are counted when the teacher's cannot be.
        owner: the teacher.

    Returns:
        `dataclasses.asdict` of `evaluate.health.Health` (one entry under "rows" per language and per length), and
        which texts of which test sets it is about. The language of the originals is one of the languages.
    """
    originals = list(dict.fromkeys(original for pairs in texts.pairs.values() for _, original in pairs))
    number = {original: place for place, original in enumerate(originals)}
    reader, tokens_of = None if owner is None else reader_of(owner), "teacher"
    if reader is None:
        reader, tokens_of = reader_of(encoder), "student"
    lengths = None if reader is None else reader.lengths(originals)
    targets = None if teacher is None else teacher.vectors(originals)
    own = {texts.source_language: [(original, original) for original in _drawn(originals)]}
    samples = []
    for language, pairs in {**own, **texts.pairs}.items():
        rows = np.array([number[original] for _, original in pairs], np.int64)
        samples.append(Sample(
            language=language,
            vectors=model.vectors([sentence for sentence, _ in pairs]),
            targets=None if targets is None else targets[rows],
            originals=rows,
            tokens=None if lengths is None else lengths[rows],
        ))  # fmt: skip
    health = asdict(health_of(samples, None if reader is None else reader.limit, tokens_of))
    return {
        **health, "rows": list(health["rows"]), "test_sets": list(texts.test_sets), "data": texts.digest
    }  # fmt: skip


def _drawn(items: Sequence[T]) -> list[T]:
    return [items[place] for place in evenly(len(items), SAMPLE)]
