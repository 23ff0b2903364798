"""Health of the space: how near a model is to its teacher, and whether its vectors use the space they have.

By language and by sentence length; `pipeline.health` collects the sentences.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isoglot.evaluate.closeness import Fit, fit, mean_cosine, principal_variances, rank_of
from isoglot.evaluate.hubness import NEIGHBOURS, hubness, index_hubness
from isoglot.mine.threads import multiplying_alone

FEWEST = 30  # sentences whose variance R2 can be a share of
SAMPLE = 1000  # rows at most that effective rank, anisotropy and hubness are computed of
_SHORTEST = 8  # tokens; every further bucket is twice as long


@dataclass(frozen=True, eq=False)
class Sample:
    """Sentences in one language whose originals the teacher knows.

    Attributes:
        language: tag.
        vectors: float32 [n, d], the model's.
        targets: float32 [n, e], the teacher's, of the originals; None without a teacher.
        originals: int64 [n], number of each original's text, so that equal ones are known.
        tokens: int64 [n], length of the originals in tokens before anything is cut; None when unknown.
    """

    language: str
    vectors: NDArray[np.float32]
    targets: NDArray[np.float32] | None
    originals: NDArray[np.int64]
    tokens: NDArray[np.int64] | None = None

    def rows(self, chosen: NDArray[np.int64]) -> Sample:
        """Some of the sentences."""
        return Sample(
            self.language,
            self.vectors[chosen],
            None if self.targets is None else self.targets[chosen],
            self.originals[chosen],
            None if self.tokens is None else self.tokens[chosen],
        )


@dataclass(frozen=True)
class Geometry:
    """How vectors lie in their space; all follow from at most `SAMPLE` rows, so they compare only at equal numbers.

    Attributes:
        effective_rank: directions in use, 1..min(rows, dimension).
        first_component: share of the variance along its main direction, 0..1.
        anisotropy: mean cosine of two different rows, -1..1.
        hubness: skewness of the 10-occurrence among the rows; None with ten rows or fewer.
    """

    effective_rank: float
    first_component: float
    anisotropy: float
    hubness: float | None


@dataclass(frozen=True)
class HealthScores:
    """Health in one language, or of one sentence length; None where nothing was measured.

    Attributes:
        language: tag; None: all languages together.
        length: of the originals, such as "9-16 tokens"; the last, "over 128 tokens", is what the teacher cuts; None:
            all lengths together.
        sentences: number of them.
        mse: mean squared error to the teacher's vectors, per component.
        r2: share of the teacher's variance explained; None with fewer than 30 sentences.
        cosine: mean cosine to the teacher's vector of the original.
        index_hubness: skewness of how often the originals are among the ten hits in the teacher's index.
        model: geometry of the model's vectors.
        teacher: geometry of the teacher's vectors of the originals, each once.
    """

    language: str | None
    length: str | None
    sentences: int
    mse: float | None = None
    r2: float | None = None
    cosine: float | None = None
    index_hubness: float | None = None
    model: Geometry | None = None
    teacher: Geometry | None = None


@dataclass(frozen=True)
class Health:
    """Health of a model's space.

    Attributes:
        rows: all languages together; each language; each length; each length in each language.
        neighbours: the k of hubness.
        sample: rows at most that the geometry was computed of; drawn evenly where there were more.
        limit: tokens after which the teacher cuts a sentence; None when unknown.
        tokens_of: whose tokens the lengths are, "teacher" or "student"; None: nobody's, there are no lengths.
    """

    rows: tuple[HealthScores, ...]
    neighbours: int
    sample: int
    limit: int | None
    tokens_of: str | None


def health_of(samples: Sequence[Sample], limit: int | None = None, tokens_of: str | None = None) -> Health:
    """Measure a space on the sentences of several languages.

    Args:
        samples: one per language.
        limit: tokens after which the teacher cuts a sentence; with it every sample has its tokens.
        tokens_of: whose tokens these are.
    """
    spans = [] if limit is None else length_spans(limit)
    filled = [sample for sample in samples if len(sample.vectors)]
    with multiplying_alone() as pool:
        measured = list(pool.map(_measured, filled))
        rows = [_together(measured)] if measured else []
        rows += pool.map(_scores, measured)
        cut = list(pool.map(lambda sample: [_within(sample, span) for span in spans], filled))
        parts = [[one for one in ones if one is not None] for ones in zip(*cut, strict=True)]
        rows += pool.map(_together, [ones for ones in parts if ones])
    rows += [_closeness(one) for ones in parts for one in ones]
    return Health(tuple(rows), NEIGHBOURS, SAMPLE, limit, None if limit is None else tokens_of)


def length_spans(limit: int) -> list[tuple[int, int | None]]:
    """Spans of lengths in tokens, each twice as long as the one before, up to `limit`, and one for what is cut.

    >>> length_spans(20)
    [(1, 8), (9, 16), (17, 20), (21, None)]
    """
    edges = [0]
    while edges[-1] < limit:
        edges.append(min(limit, max(_SHORTEST, 2 * edges[-1])))
    inside: list[tuple[int, int | None]] = [(low + 1, high) for low, high in itertools.pairwise(edges)]
    return [*inside, (limit + 1, None)]


def name_of(span: tuple[int, int | None]) -> str:
    """A span for people."""
    low, high = span
    return f"over {low - 1} tokens" if high is None else f"{low}-{high} tokens"


def geometry(vectors: NDArray[np.float32]) -> Geometry:
    """Describe how at least two vectors, float [n, d], lie in their space."""
    chosen = vectors[evenly(len(vectors), SAMPLE)]
    variances = principal_variances(chosen)
    return Geometry(
        effective_rank=rank_of(variances),
        first_component=float(variances[0] / max(float(variances.sum()), 1e-30)),
        anisotropy=mean_cosine(chosen),
        hubness=hubness(chosen),
    )


def evenly(n: int, most: int) -> NDArray[np.int64]:
    """At most `most` of the numbers 0..n-1, evenly spaced, int64."""
    return np.arange(n) if n <= most else np.arange(most) * n // most


@dataclass(frozen=True, eq=False)
class _Measured:
    """A sample, or the sentences of one length in it, and how they fit the teacher; None where it cannot be told."""

    sample: Sample
    length: str | None
    fit: Fit | None
    language: str | None
    sentences: int


def _measured(sample: Sample, length: str | None = None) -> _Measured:
    same_width = sample.targets is not None and sample.targets.shape[1] == sample.vectors.shape[1]
    compared = fit(sample.vectors, sample.targets) if same_width and sample.targets is not None else None
    return _Measured(sample, length, compared, sample.language, len(sample.vectors))


def _within(sample: Sample, span: tuple[int, int | None]) -> _Measured | None:
    """The sentences whose originals are so long; None when there are none."""
    if sample.tokens is None:
        return None
    low, high = span
    inside = (sample.tokens >= low) & (sample.tokens <= (high or np.iinfo(np.int64).max))
    return _measured(sample.rows(np.flatnonzero(inside)), name_of(span)) if inside.any() else None


def _together(parts: Sequence[_Measured]) -> HealthScores:
    """Several languages as one: closeness of all sentences, geometry of some from every language."""
    fits = [part.fit for part in parts if part.fit is not None]
    sentences = sum(part.sentences for part in parts)
    drawn = _drawn([part.sample for part in parts], sentences)
    total = sum(fits[1:], fits[0]) if fits else None
    return _scores(_Measured(drawn, parts[0].length, total, None, sentences))


def _drawn(samples: Sequence[Sample], sentences: int) -> Sample:
    """Samples behind one another, of all their rows no more than the geometry is computed of."""
    starts = itertools.accumulate((len(sample.vectors) for sample in samples), initial=0)
    chosen = evenly(sentences, SAMPLE)
    parts = [
        sample.rows(chosen[(chosen >= start) & (chosen < start + len(sample.vectors))] - start)
        for sample, start in zip(samples, starts, strict=False)
    ]
    targets = [part.targets for part in parts if part.targets is not None]
    return Sample(
        language="",
        vectors=np.concatenate([part.vectors for part in parts]),
        targets=np.concatenate(targets) if len(targets) == len(parts) else None,
        originals=np.concatenate([part.originals for part in parts]),
    )


def _closeness(one: _Measured) -> HealthScores:
    if one.fit is None:
        return HealthScores(one.language, one.length, one.sentences)
    return HealthScores(
        language=one.language,
        length=one.length,
        sentences=one.sentences,
        mse=one.fit.mean_squared_error,
        r2=one.fit.r_squared if one.sentences >= FEWEST else None,
        cosine=one.fit.mean_cosine,
    )


def _scores(one: _Measured) -> HealthScores:
    vectors, targets = one.sample.vectors, one.sample.targets
    _, first = np.unique(one.sample.originals, return_index=True)
    originals = None if targets is None else targets[np.sort(first)]
    return replace(
        _closeness(one),
        index_hubness=None if originals is None or one.fit is None else index_hubness(vectors, originals),
        model=geometry(vectors) if len(vectors) > 1 else None,
        teacher=geometry(originals) if originals is not None and len(originals) > 1 else None,
    )
