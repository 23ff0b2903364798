"""One small set of documents that every kind of index is filled with, and its exact neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS, WIDTH = 300, 12
TEXTS = [f"document {number}" for number in range(ROWS)]


def table(seed: int = 0, rows: int = ROWS, width: int = WIDTH) -> NDArray[np.float32]:
    """Vectors of different lengths, so that the three metrics rank differently."""
    return np.random.default_rng(seed).standard_normal((rows, width), np.float32)


QUERIES = table(1, 9)


def neighbours(metric: str, k: int, vectors: NDArray[np.float32] | None = None) -> list[list[int]]:
    """Row numbers of the nearest documents of every query, by the definition of the metric, in float64."""
    documents = (table() if vectors is None else vectors).astype(np.float64)
    found = []
    for query in QUERIES.astype(np.float64):
        if metric == "l2":
            values = -((documents - query) ** 2).sum(axis=1)
        else:
            values = documents @ query
            if metric == "cosine":
                values = values / np.linalg.norm(documents, axis=1)
        found.append(np.argsort(-values, kind="stable")[:k].tolist())
    return found


def check(index, metric: str, k: int = 15, *, ids=str, own=None, exact=True) -> None:
    """Hold an open index against the definition: facts, neighbours, texts, vectors, sample."""
    vectors = table() if own is None else own
    assert (index.facts.documents, index.facts.dimension) == (ROWS, WIDTH)
    assert index.facts.metric == metric
    hits = index.search(QUERIES, k)
    expected = neighbours(metric, k)
    assert [one.ids for one in hits] == [tuple(ids(row) for row in rows) for rows in expected]
    assert [one.texts for one in hits] == [tuple(TEXTS[row] for row in rows) for rows in expected]
    for one, rows in zip(hits, expected, strict=True):
        assert one.vectors.dtype == np.float32
        np.testing.assert_allclose(one.vectors, vectors[rows], atol=1e-5)
    sample = index.sample(40)
    rows = [TEXTS.index(text) for text in sample.texts]
    assert 38 <= len(set(rows)) <= 40
    assert max(rows) > ROWS / 2 > min(rows)  # from everywhere
    np.testing.assert_allclose(sample.vectors, vectors[rows], atol=1e-5)
    assert sample.ids == tuple(ids(row) for row in rows)
    everything = len(index.search(QUERIES[:1], 10 * ROWS)[0].ids)
    assert everything == ROWS if exact else 0 < everything <= ROWS  # no more than there are
