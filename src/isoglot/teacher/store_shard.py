"""One shard of a teacher store: the keys and vectors of a chunk, as a safetensors file that is mapped, not loaded.

keys      uint8 [rows, 16]          ascending
vectors   fp32, fp16 or int8 [rows, dimension]
scales    float32 [rows]            int8 only: vector = scale * numbers, the largest of a row is 127

The file's metadata names the chunk.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import DamagedError, IsoglotError

if TYPE_CHECKING:
    from collections.abc import Mapping

StorePrecision = Literal["fp32", "fp16", "int8"]
KEY_BYTES = 16
_CODES = {"F16": np.float16, "I8": np.int8, "U8": np.uint8, "F32": np.float32}
_STORED: dict[StorePrecision, type[Any]] = {"fp32": np.float32, "fp16": np.float16, "int8": np.int8}
_LARGEST_INT8 = 127
# what a header of odd JSON can lead to
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
_FROM_HALF = np.float32(2.0**112)  # moves a half's exponent bias of 15 to a float's 127


@dataclass(frozen=True)
class Layout:
    """How wide a vector is and how it is stored; equal for all shards of a store."""

    dimension: int
    precision: StorePrecision

    @property
    def row_bytes(self) -> int:
        """Bytes of one stored vector, without its scale."""
        return self.dimension * np.dtype(_STORED[self.precision]).itemsize


@dataclass(frozen=True)
class Shard:
    """A mapped shard; nothing is read before it is asked for.

    Attributes:
        keys: uint8 [rows, 16].
        vectors: the bytes of all rows, one after another.
        scales: float32 [rows], empty but for int8.
    """

    keys: NDArray[np.uint8]
    vectors: memoryview
    scales: NDArray[np.float32]


def pack(chunk: str, keys: NDArray[np.uint8], vectors: NDArray[np.float32], layout: Layout) -> bytes:
    """Return the content of a shard file; equal arguments give equal bytes.

    Args:
        chunk: the chunk's id, for the file's metadata.
        keys: uint8 [rows, 16].
        vectors: float32 [rows, dimension].
        layout: how to store them.

    Raises:
        IsoglotError: a vector cannot be stored: wrong shape, not finite, zero, or out of range for fp16.
    """
    from safetensors.numpy import save

    _refuse_bad(chunk, vectors, (len(keys), layout.dimension), "are zero or not finite")
    tensors: dict[str, NDArray[Any]] = {"keys": keys}
    if layout.precision != "int8":
        with np.errstate(over="ignore"):
            tensors["vectors"] = vectors.astype(_STORED[layout.precision])
        _refuse_bad(chunk, tensors["vectors"], vectors.shape, f"leave the range of {layout.precision}")
    else:
        tensors["scales"] = np.abs(vectors).max(axis=1) / np.float32(_LARGEST_INT8)
        tensors["vectors"] = np.rint(vectors / tensors["scales"][:, None]).astype(np.int8)
    return bytes(save(tensors, {"chunk": chunk}))


def map_shard(path: Path, size: int, rows: int, layout: Layout) -> Shard:
    """Map a shard file.

    The size is compared before mapping: touching a map beyond the end of its file kills the process (SIGBUS).
    pyarrow's map holds no file descriptor, so a store of ten thousand shards does not run into their limit.

    Args:
        path: the file.
        size: its length in bytes when it was committed.
        rows: its vectors.
        layout: how they are stored.

    Raises:
        DamagedError: the file is missing, has another length, or is no such shard.
    """
    import pyarrow as pa

    try:
        found = path.stat().st_size
        if found != size:
            raise damaged(path, f"has {found} bytes instead of {size}")
        with pa.memory_map(str(path)) as file:
            content = memoryview(file.read_buffer(size))
        tensors = _tensors(content)
        keys, vectors = tensors["keys"], tensors["vectors"]
        scales = tensors["scales"] if layout.precision == "int8" else np.zeros(0, np.float32)
    except FileNotFoundError as error:
        raise damaged(path, "is missing") from error
    except _UNREADABLE as error:
        raise damaged(path, f"is not a readable shard ({error})") from error
    wanted = (rows, layout.dimension), np.dtype(_STORED[layout.precision])
    if (vectors.shape, vectors.dtype) != wanted or keys.shape != (rows, KEY_BYTES):
        raise damaged(path, f"holds {vectors.dtype} {vectors.shape} instead of {wanted[1]} {wanted[0]}")
    if layout.precision == "int8" and (scales.shape, scales.dtype) != ((rows,), np.dtype(np.float32)):
        raise damaged(path, f"holds {scales.dtype} {scales.shape} scales for {rows} rows")
    return Shard(keys, vectors.reshape(-1).view(np.uint8).data, scales)


def unpack(
    rows: NDArray[np.uint8], scales: NDArray[np.float32] | None, layout: Layout
) -> NDArray[np.float32]:
    """Turn stored rows, uint8 [rows, row bytes], and the scales of int8 [rows, 1] into float32 [rows, dimension]."""
    if scales is None:
        return rows.view(np.float32) if layout.precision == "fp32" else from_half(rows.view(np.int16))
    numbers = rows.view(np.int8).astype(np.float32)
    numbers *= scales
    return numbers


def from_half(bits: NDArray[np.int16]) -> NDArray[np.float32]:
    """Turn the bits of finite halves into float32, exactly; in a third of the time of numpy's conversion.

    Sign, exponent and mantissa move to their places in a float; a multiplication corrects the exponent, for
    subnormal halves too.
    """
    wide = bits.astype(np.int32)  # the sign is extended over the upper half
    wide <<= 13
    wide &= ~0x7000_0000  # and cleared where the exponent's upper bits are
    floats = wide.view(np.float32)
    floats *= _FROM_HALF
    return floats


def damaged(path: Path, what: str) -> DamagedError:
    """Say what is wrong with a shard and how to have it again."""
    return DamagedError(
        f"{path} {what}.",
        "Delete that file and run the same isoglot embed (or isoglot run) again: it makes this chunk anew.",
    )


def _tensors(content: memoryview) -> Mapping[str, NDArray[Any]]:
    """Give the tensors of a safetensors file as views of its bytes."""
    start = 8 + int.from_bytes(content[:8], "little")
    entries = json.loads(bytes(content[8:start]))
    tensors = {}
    for name, entry in entries.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            flat = np.frombuffer(content[start + first : start + last], _CODES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def _refuse_bad(chunk: str, vectors: NDArray[Any], shape: tuple[int, ...], what: str) -> None:
    if vectors.shape != shape:
        raise IsoglotError(
            f"The teacher gave vectors of shape {vectors.shape} instead of {shape} for chunk {chunk}.",
            "Nothing of this chunk was stored. This teacher cannot be used.",
        )
    bad = ~np.isfinite(vectors).all(axis=1) | ~vectors.any(axis=1)
    if bad.any():
        raise IsoglotError(
            f"The teacher gave {int(bad.sum())} vectors that {what} in chunk {chunk}"
            f" (first: row {int(np.argmax(bad))}).",
            "Nothing of this chunk was stored. Check the teacher on those sentences.",
        )
