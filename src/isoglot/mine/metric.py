"""What "near" means: vectors prepared so that one matrix product ranks them, and exact scores of chosen pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import RequestError

Metric = Literal["cosine", "dot", "l2"]
_ROUNDING = 2.0**-24  # relative, of one float32 operation
_PASS_ROWS = 1024
_PAIR_ROWS = 512  # 1.5 MB of float64 at 384 dimensions, which stay near the processor


class Vectors(Protocol):
    """Vectors in rows, float [n, d]: an array in memory, one mapped from a file, or `teacher.store.StoredVectors`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and components."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:  # noqa: ANN401  an array's own takes anything
        """Read the rows of a slice or of an array of numbers."""


@dataclass(frozen=True)
class Prepared:
    """One side of a search, of which float32 blocks are made when they are needed.

    Attributes:
        vectors: [n, d] as given.
        lengths: float64 [n], Euclidean.
        metric: how rows are scaled, or what is put behind them.
        column: for l2, what the one added column holds: "ones" beside queries, "halves" (-length²/2) beside documents.
    """

    vectors: Vectors
    lengths: NDArray[np.float64]
    metric: Metric
    column: Literal["", "ones", "halves"] = ""

    @property
    def reach(self) -> NDArray[np.float64]:
        """Length of every row as it stands in a product; float64 [n]."""
        if self.metric == "cosine":
            return np.minimum(self.lengths, 1.0)
        if self.metric == "dot":
            return self.lengths
        added = 1.0 if self.column == "ones" else self.lengths**2 / 2
        reach: NDArray[np.float64] = np.hypot(self.lengths, added)
        return reach

    def block(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows `start` to `stop` as a product needs them: float32 [stop - start, d or d + 1]."""
        rows = np.asarray(self.vectors[start:stop], np.float32)
        lengths = self.lengths[start:stop, None]
        if self.metric == "cosine":
            scaled: NDArray[np.float32] = rows * _inverse(lengths).astype(np.float32)
            return scaled
        if self.metric == "dot":
            return rows
        added = np.ones_like(lengths) if self.column == "ones" else -(lengths**2) / 2
        return np.hstack([rows, added.astype(np.float32)])


def prepare(queries: Vectors, documents: Vectors, metric: Metric) -> tuple[Prepared, Prepared]:
    """Measure both sides once.

    Raises:
        RequestError: the sides do not fit each other, or a vector holds NaN or an infinity.
    """
    columns: tuple[Any, Any] = ("ones", "halves") if metric == "l2" else ("", "")
    sides = [
        prepare_side(side, name, metric, column)
        for side, name, column in zip((queries, documents), ("query", "document"), columns, strict=True)
    ]
    if queries.shape[1] != documents.shape[1]:
        raise RequestError(
            f"Queries of {queries.shape[1]} dimensions cannot be compared with documents of {documents.shape[1]}.",
            "Embed both with one model.",
        )
    return sides[0], sides[1]


def prepare_side(
    vectors: Vectors, name: str, metric: Metric = "cosine", column: Literal["", "ones", "halves"] = ""
) -> Prepared:
    """Measure one side; `name` is what one of its rows is called in errors.

    Raises:
        RequestError: these are no vectors, or one holds NaN or an infinity.
    """
    kind = vectors[:0].dtype
    if len(vectors.shape) != 2 or kind.kind != "f":
        raise RequestError(f"A {name} is of {kind} {list(vectors.shape)}, not a row of floats.")
    return Prepared(vectors, _lengths(vectors, name), metric, column)


def rounding(queries: Prepared, documents: Prepared) -> NDArray[np.float64]:
    """Bound of the rounding error in a float32 product, for each query against any document; float64 [q].

    The bound of a dot product in any order of summation (Higham, Accuracy and Stability of Numerical
    Algorithms, 2002, section 3.1), with four more roundings for scaling both sides.
    """
    dimension = documents.vectors.shape[1]
    bound: NDArray[np.float64] = (
        queries.reach * documents.reach.max(initial=0.0) * (dimension + 5) * _ROUNDING
    )
    return bound


def exact_scores(
    queries: Prepared, documents: Prepared, rows: NDArray[np.int64], ids: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Score chosen pairs in float64, rounded once to float32: the same whatever block a pair stood in.

    Args:
        queries: one side.
        documents: the other.
        rows: int64 [p], query numbers.
        ids: int64 [p], document numbers.

    Returns:
        float32 [p]: cosine (0 beside a zero vector), dot product, or negative squared Euclidean distance.
    """
    scores = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _PAIR_ROWS):
        part = slice(start, start + _PAIR_ROWS)
        own, place = np.unique(
            rows[part], return_inverse=True
        )  # a row has several candidates, and is read once
        one = queries.vectors[own].astype(np.float64)[place]
        other = documents.vectors[ids[part]].astype(np.float64)
        if queries.metric == "l2":
            one -= other
            scores[part] = -np.einsum("pd,pd->p", one, one)
        else:
            products = np.einsum("pd,pd->p", one, other)
            if queries.metric == "cosine":
                products *= _inverse(queries.lengths[rows[part]]) * _inverse(documents.lengths[ids[part]])
            scores[part] = products
    return scores


def _lengths(vectors: Vectors, name: str) -> NDArray[np.float64]:
    lengths = np.empty(len(vectors), np.float64)
    for start in range(0, len(vectors), _PASS_ROWS):
        rows = np.asarray(vectors[start : start + _PASS_ROWS], np.float64)
        lengths[start : start + _PASS_ROWS] = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    wrong = np.flatnonzero(~np.isfinite(lengths))
    if len(wrong):
        raise RequestError(
            f"The vector of {name} {wrong[0]} holds NaN or an infinity ({len(wrong)} such vectors).",
            "Look at the model that gave it, or leave that text out.",
        )
    return lengths


def _inverse(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / length, and 0 for a zero vector."""
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
