"""Vectors of unit length: making them, and telling whether an encoder makes them on its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROBES = ("The house by the river is old.", "When does the next train leave?")
_TOLERANCE = 5e-3  # fp16 and bf16 vectors miss unit length by less


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to unit length; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


def is_unit(vectors: NDArray[np.float32]) -> bool:
    """Tell whether all rows have unit length, within what half precision loses."""
    return bool((np.abs(np.linalg.norm(vectors, axis=1) - 1) < _TOLERANCE).all())
