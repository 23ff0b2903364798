"""A FAISS file as an index; it holds numbers instead of texts, so these come from a file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.compat_config import IndexConfig
from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.indexes.index import (
    Documents,
    IndexFacts,
    chosen_metric,
    documents,
    refuse_empty,
    spread,
)
from isoglot.evaluate.indexes.metric import Metric
from isoglot.evaluate.indexes.texts import Row, read_texts

if TYPE_CHECKING:
    import faiss

SUFFIXES = (".faiss", ".index")


class FaissIndex:
    """An open FAISS index, whatever its type.

    Args:
        facts: what it is.
        whole: of FAISS; it owns what is inside, which dies with it.
        index: the same without the map of ids around it.
        rows: id and text of every vector, in the order in which they were added.
    """

    def __init__(self, facts: IndexFacts, whole: faiss.Index, index: faiss.Index, rows: list[Row]) -> None:
        self.facts = facts
        self._whole, self._index, self._rows = whole, index, rows

    def sample(self, count: int) -> Documents:
        """Give documents at even distances."""
        return self._documents(spread(self.facts.documents, count))

    def search(self, queries: NDArray[np.float32], k: int) -> list[Documents]:
        """Find neighbours as FAISS does; approximate types give approximate ones."""
        _, found = self._index.search(np.ascontiguousarray(queries, np.float32), min(k, len(self._rows)))
        return [self._documents(numbers[numbers >= 0]) for numbers in found]  # -1: nothing more was found

    def _documents(self, numbers: NDArray[np.int64]) -> Documents:
        chosen = [self._rows[number] for number in numbers.tolist()]
        vectors = self._index.reconstruct_batch(numbers) if len(numbers) else np.zeros((0, 0), np.float32)
        return documents([name for name, _ in chosen], [text for _, text in chosen], vectors, self.facts.name)


def open_faiss(path: Path, config: IndexConfig) -> FaissIndex:
    """Open a FAISS file.

    Raises:
        RequestError: FAISS is not installed, there is no such file, its texts are missing or not as many as its
            vectors, or its type keeps no vectors.
        DamagedError: the file is cut or broken.
    """
    index = _read(path)
    inner, numbers = _unwrapped(index)
    rows = list(read_texts(path, config))
    refuse_empty(str(path), inner.ntotal)
    if len(rows) != inner.ntotal:
        raise RequestError(
            f"There are {len(rows)} texts for the {inner.ntotal} vectors of {path}.",
            "Give the texts in the order in which their vectors were added, one for each.",
        )
    if numbers is not None and config.id_column is None:
        rows = [(str(number), text) for number, (_, text) in zip(numbers.tolist(), rows, strict=True)]
    metric = chosen_metric(config.metric, _metric(path, inner), "dot", str(path))
    facts = IndexFacts(str(path), f"FAISS {type(inner).__name__}", inner.ntotal, inner.d, metric)
    _refuse_forgetful(path, inner)
    return FaissIndex(facts, index, inner, rows)


def _read(path: Path) -> Any:  # noqa: ANN401  which class FAISS gives depends on the file
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise RequestError(f"{path} needs FAISS.", "Run: pip install 'isoglot[faiss]'") from error
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", "Give the path of an index that FAISS wrote.")
    try:
        return faiss.read_index(str(path))
    except RuntimeError as error:
        raise DamagedError(f"{path} is not a readable FAISS index ({str(error).splitlines()[0]}).") from error


def _unwrapped(index: Any) -> tuple[Any, NDArray[np.int64] | None]:  # noqa: ANN401  classes of FAISS
    """Take the map of ids off: the index inside, and the id of each of its vectors."""
    import faiss

    if isinstance(index, faiss.IndexIDMap):
        return faiss.downcast_index(index.index), faiss.vector_to_array(index.id_map)
    return index, None


def _metric(path: Path, index: faiss.Index) -> Metric:
    import faiss

    known: dict[int, Metric] = {faiss.METRIC_INNER_PRODUCT: "dot", faiss.METRIC_L2: "l2"}
    if index.metric_type not in known:
        raise RequestError(f"{path} ranks neither by dot product nor by L2.", "Build it with one of these.")
    return known[index.metric_type]


def _refuse_forgetful(path: Path, index: Any) -> None:  # noqa: ANN401  classes of FAISS
    """Make sure that vectors can be read back; an inverted file needs a table for that, in memory only."""
    import faiss

    inverted = faiss.try_extract_index_ivf(index)
    try:
        if inverted is not None:
            inverted.make_direct_map()
        index.reconstruct(0)
    except RuntimeError as error:
        raise RequestError(
            f"{path} is a {type(index).__name__}, which gives no vectors back.",
            "Use a flat, HNSW, IVF or scalar-quantised index, or give the vectors as .npy.",
        ) from error
