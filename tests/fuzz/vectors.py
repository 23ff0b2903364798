"""Readers of vectors under fuzz: files that somebody already has, and the shards and axes of our own stores."""

import json
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np

from fuzz.target import BrokenPromiseError, Target
from isoglot.config import TeacherConfig
from isoglot.teacher.axes import read_axes, write_axes
from isoglot.teacher.store_gather import ROW_BITS, Gather
from isoglot.teacher.store_shard import Layout, map_shard, pack, unpack
from isoglot.teacher.vectors import open_vectors

ROWS, WIDTH = 3, 4
_TEXTS = ["The door is open.", "Two doors", "б" * 40]
_VECTORS = np.arange(1, ROWS * WIDTH + 1, dtype=np.float32).reshape(ROWS, WIDTH)
_KEYS = np.arange(ROWS * 16, dtype=np.uint8).reshape(ROWS, 16)


def _finished(suffix: str, starts: Callable[[], list[bytes]]) -> Target:
    """A file of vectors with its texts beside it: what opens gives one finite vector for each of its texts."""

    def read(folder: Path, data: bytes) -> None:
        path = folder / f"x{suffix}"
        path.write_bytes(data)
        if suffix in (".npy", ".safetensors"):
            path.with_suffix(".txt").write_text("\n".join(_TEXTS))
        found = open_vectors(path, TeacherConfig(model="fuzzed"))
        table = np.asarray(found.table[found.rows], np.float32)
        if table.shape != (len(found.keys), found.dimension) or not np.isfinite(table).all():
            raise BrokenPromiseError(f"{suffix}: {table.shape} for {len(found.keys)} texts")

    return Target(read, starts)


def _shard(precision: str) -> Target:
    """A store's shard: what maps has the promised rows, and every one of them can be read."""
    layout = Layout(WIDTH, precision)

    def read(folder: Path, data: bytes) -> None:
        path = folder / "x.safetensors"
        path.write_bytes(data)
        shard = map_shard(path, len(data), ROWS, layout)
        numbers = np.arange(ROWS) + (1 << ROW_BITS)
        stored = Gather({1: shard.vectors}.__getitem__, layout.row_bytes)(numbers)
        scales = shard.scales[:, None] if precision == "int8" else None
        if unpack(stored, scales, layout).shape != (ROWS, WIDTH) or shard.keys.shape != (ROWS, 16):
            raise BrokenPromiseError(f"{precision}: other rows than promised")

    return Target(read, lambda: [pack("chunk", _KEYS, _VECTORS, layout)])


def _axes() -> Target:
    def read(folder: Path, data: bytes) -> None:
        path = folder / "x.safetensors"
        path.write_bytes(data)
        axes, _ = read_axes(path)
        if axes.ndim != 2 or axes.dtype != np.float32:
            raise BrokenPromiseError(f"{axes.dtype} {axes.shape}")

    return Target(read, lambda: [_written(lambda path: write_axes(path, _VECTORS, 9))])


def _npy() -> list[bytes]:
    made = []
    for kind, order in (("<f4", "C"), ("<f2", "F"), (">f8", "C")):
        file = BytesIO()
        np.save(file, np.asarray(_VECTORS, kind, order=order), allow_pickle=False)
        made.append(file.getvalue())
    return made


def _safetensors() -> list[bytes]:
    from safetensors.numpy import save

    return [
        save({"vector": _VECTORS}),
        save({"a": _VECTORS.astype(np.float16)}),
        save({"vector": _VECTORS, "b": _KEYS}),
    ]


def _parquet() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = pa.list_(pa.float32()), pa.list_(pa.float64(), WIDTH)
    tables = [pa.table({"text": _TEXTS, "vector": pa.array(_VECTORS.tolist(), kind)}) for kind in kinds]
    return [_written(partial(pq.write_table, table)) for table in tables]


def _jsonl() -> list[bytes]:
    rows = [{"text": text, "vector": row} for text, row in zip(_TEXTS, _VECTORS.tolist(), strict=True)]
    return ["".join(json.dumps(row) + "\n" for row in rows).encode()]


def _written(write: Callable[[Path], None]) -> bytes:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        write(path)
        return path.read_bytes()


TARGETS = {
    "vectors-npy": _finished(".npy", _npy),
    "vectors-safetensors": _finished(".safetensors", _safetensors),
    "vectors-parquet": _finished(".parquet", _parquet),
    "vectors-jsonl": _finished(".jsonl", _jsonl),
    "shard-fp16": _shard("fp16"),
    "shard-int8": _shard("int8"),
    "axes": _axes(),
}
