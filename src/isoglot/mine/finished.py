"""Files of finished blocks: arrays with the digest of their bytes, so that a damaged one is done again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from isoglot.disk import write_atomic

SUFFIX = ".block"  # the sha256 of what follows, then arrays as safetensors lays them out
_DIGEST_BYTES = 32


def write_finished(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays for good; equal arrays give equal bytes.

    Raises:
        IsoglotError: the disk is full.
    """
    from safetensors.numpy import save

    data: bytes = save(dict(arrays))
    write_atomic(path, hashlib.sha256(data).digest() + data)


def read_finished(path: Path) -> dict[str, NDArray[Any]] | None:
    """Read arrays; None when there are none, or damaged ones."""
    from safetensors.numpy import load

    if not path.is_file():
        return None
    content = path.read_bytes()
    digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(data).digest() != digest:
        return None
    arrays: dict[str, NDArray[Any]] = load(data)
    return arrays
