"""What an index is: documents, their vectors, one metric, and a search of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.indexes.metric import Metric


@dataclass(frozen=True)
class IndexFacts:
    """What an index says about itself.

    Attributes:
        name: as the user gave it, without secrets.
        kind: such as "LanceDB table".
        documents: how many it holds.
        dimension: of their vectors.
        metric: what it ranks by.
    """

    name: str
    kind: str
    documents: int
    dimension: int
    metric: Metric


@dataclass(frozen=True, eq=False)
class Documents:
    """Some documents of an index, best first where they are hits.

    Attributes:
        ids: as the index names them.
        texts: "" where a document has none.
        vectors: float32 [n, dimension], as the index holds them.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: NDArray[np.float32]

    def first(self, count: int) -> Documents:
        """The first `count` of them."""
        return self.chosen(range(min(count, len(self.ids))))

    def chosen(self, rows: Sequence[int]) -> Documents:
        """Some of them, in the order of `rows`."""
        return Documents(
            tuple(self.ids[row] for row in rows),
            tuple(self.texts[row] for row in rows),
            self.vectors[np.asarray(rows, np.int64)],
        )


class Index(Protocol):
    """An open index, to read only."""

    @property
    def facts(self) -> IndexFacts:
        """What it says about itself."""

    def sample(self, count: int) -> Documents:
        """Give about `count` documents from everywhere in the index, all of them when it holds no more."""

    def search(self, queries: NDArray[np.float32], k: int) -> list[Documents]:
        """Find the `k` nearest documents of every query, float32 [q, dimension], as the engine itself ranks them."""


def documents(ids: Sequence[object], texts: Sequence[str | None], vectors: object, name: str) -> Documents:
    """Put together what an engine answered; documents without a text get "".

    Args:
        ids: of any type that has a text form.
        texts: one for each.
        vectors: [n, dimension], anything that NumPy takes for numbers.
        name: of the index, for errors.

    Raises:
        IsoglotError: the vectors are not finite numbers in rows of one length.
    """
    try:
        table = np.asarray(vectors, np.float32)
    except (TypeError, ValueError) as error:
        raise IsoglotError(
            f"{name} holds vectors of different lengths, or things that are no numbers."
        ) from error
    if table.size and table.ndim != 2:
        raise IsoglotError(f"{name} holds several vectors per document.", "Give an index with one for each.")
    table = table if table.size else np.zeros((len(ids), 0), np.float32)
    if not np.isfinite(table).all():
        row = int(np.argmin(np.isfinite(table).all(axis=1)))
        raise IsoglotError(
            f"{name}: the vector of document {ids[row]} is not finite.", "Embed that document anew."
        )
    return Documents(tuple(map(str, ids)), tuple(text or "" for text in texts), table)


def refuse_empty(name: str, count: int) -> None:
    """Refuse an index that holds nothing.

    Raises:
        RequestError: `count` is 0.
    """
    if not count:
        raise RequestError(f"{name} holds no documents.", "Fill it first, or name another index.")


def chosen_metric(asked: Metric | None, own: Metric | None, otherwise: Metric, name: str) -> Metric:
    """Settle what an index ranks by.

    Args:
        asked: what the user says.
        own: what the index says; None where it says nothing.
        otherwise: when nobody says anything.
        name: of the index, for the error.

    Raises:
        RequestError: the user and the index disagree.
    """
    if own is not None and asked is not None and own != asked:
        raise RequestError(f"{name} ranks by {own}, not by {asked}.", "Leave out --metric.")
    return own or asked or otherwise


def spread(total: int, count: int) -> NDArray[np.int64]:
    """Choose row numbers evenly from everywhere among `total`, int64 [at most count], ascending."""
    return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(np.int64))
