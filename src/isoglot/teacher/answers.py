"""What an embeddings endpoint answers, checked so that no vector can land on the wrong text."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray


class MalformedError(Exception):
    """An answer that cannot be trusted; the message says why."""


def read_vectors(body: bytes, count: int, dimension: int | None) -> NDArray[np.float32]:
    """Read the vectors of an answer, in the order of the texts that were asked for.

    Args:
        body: JSON, {"data": [{"index": i, "embedding": [...] or base64}, ...]}.
        count: texts that were asked for.
        dimension: width that every vector must have; None: that of the first.

    Returns:
        Float32 [count, dimension], sorted by index.

    Raises:
        MalformedError: broken JSON, another number of vectors, indices that are not exactly 0..count-1 (a lone vector
            needs none), numbers that are not finite, zero vectors, or another width.
    """
    items = _items(body)
    if len(items) != count:
        raise MalformedError(f"{len(items)} vectors for {count} texts")
    order = [0] if count == 1 else [_index(item) for item in items]
    if sorted(order) != list(range(count)):
        raise MalformedError("its indices are not those of the texts, so vectors cannot be told apart")
    vectors = [_vector(item["embedding"]) for item in items]
    widths = {len(vector) for vector in vectors}
    wanted = dimension or len(vectors[0])
    if widths != {wanted} or not wanted:
        raise MalformedError(
            f"vectors of {', '.join(map(str, sorted(widths)))} dimensions instead of {wanted}"
        )
    table = np.empty((count, wanted), np.float32)
    table[order] = np.stack(vectors)
    if not np.isfinite(table).all() or not table.any(axis=1).all():
        raise MalformedError("vectors that are zero or not finite")
    return table


def _items(body: bytes) -> list[dict[str, Any]]:
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedError("no whole JSON, or numbers that JSON does not have") from error
    items = content.get("data") if isinstance(content, dict) else None
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and "embedding" in item for item in items
    ):
        raise MalformedError("no list of embeddings")
    return items


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _index(item: dict[str, Any]) -> int:
    index = item.get("index")
    if not isinstance(index, int) or isinstance(index, bool):
        raise MalformedError("vectors without an index; a server that gives none needs endpoint.batch = 1")
    return index


def _vector(value: object) -> NDArray[np.float32]:
    """Read a list of numbers, or base64 of little-endian fp32."""
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), "<f4").astype(np.float32)
        array = np.array(value)
    except ValueError as error:
        raise MalformedError("a vector that is neither a list of numbers nor base64 of fp32") from error
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise MalformedError("a vector that is not a list of numbers")
    with np.errstate(over="ignore"):  # infinities are refused by the caller
        return array.astype(np.float32)
