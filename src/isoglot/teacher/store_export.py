"""The vectors of a teacher store for other programs: a folder with one NumPy or Parquet file, written as a stream.

    vectors.npy       float32 [n, dimension], beside keys.npy uint8 [n, 16] and vectors.jsonl, a {"text"} per row
    vectors.parquet   columns key, text, vector (fixed-size list of float32)

Texts are there when they were given (the column is empty without). Either file can be a teacher again:
`--teacher vectors.parquet`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import Manifest, digest_bytes, digest_json, is_current, publish
from isoglot.progress import SILENT, Progress, Task
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_shard import KEY_BYTES

Target = Literal["npy", "parquet"]
_BLOCK = 16_384  # rows in memory at a time, and per row group
_TEXTS = "vectors.jsonl"
Block = tuple[NDArray[np.uint8], Sequence[str] | None, NDArray[np.float32]]  # keys, texts, vectors


def export(
    store: Store,
    out: Path,
    to: Target,
    texts: Sequence[str] | None = None,
    progress: Progress = SILENT,
    *,
    missing: Literal["error", "drop"] = "error",
) -> int:
    """Write the vectors of a store to the folder `out`; nothing is done when it holds them already.

    Args:
        store: the store.
        out: the folder.
        to: the kind of file.
        texts: distinct sentences that decide which rows are written and in which order; None: all of the store,
            by key, without texts.
        progress: where to report.
        missing: "error": stop when the store lacks any of the texts; "drop": leave those out.

    Returns:
        The number of rows.

    Raises:
        RequestError: the store lacks one of the sentences and none may be dropped, or `out` is a folder that isoglot
            did not write.
        IsoglotError: the disk is full.
    """
    if texts is not None and missing == "drop":
        _, held = store.find([key_of(text) for text in texts])
        texts = [text for text, is_held in zip(texts, held, strict=True) if is_held]
    keys, numbers = _rows(store, texts)
    inputs = {
        "store": digest_json([entry.sha256 for entry in store.entries.values()]),
        "rows": digest_bytes(keys.tobytes()),
    }
    config = {"to": to, "texts": texts is not None, "space": dict(store.space)}
    manifest = Manifest(kind="vectors", inputs=inputs, config=config, counts={"rows": len(numbers)})
    if not is_current(out, manifest):
        with publish(out, manifest) as scratch, progress.task("export", len(numbers), "rows") as task:
            blocks = _blocks(store, (keys, numbers), texts, task)
            write = {"npy": _write_npy, "parquet": _write_parquet}[to]
            write(scratch, (len(numbers), store.dimension), blocks)
    return len(numbers)


def _rows(store: Store, texts: Sequence[str] | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give key and row number of every row to write."""
    if texts is not None:
        keys = np.frombuffer(b"".join(map(key_of, texts)), np.uint8).reshape(-1, KEY_BYTES)
        return keys, store.locate(texts)
    keys, numbers = store.sorted_keys()
    first = np.ones(len(keys), bool)
    first[1:] = (keys[1:] != keys[:-1]).any(axis=1)  # overlapping passes may have embedded a sentence twice
    return keys[first], numbers[first]


def _blocks(
    store: Store,
    rows: tuple[NDArray[np.uint8], NDArray[np.int64]],
    texts: Sequence[str] | None,
    task: Task,
) -> Iterator[Block]:
    keys, numbers = rows
    for start in range(0, len(numbers), _BLOCK):
        some = slice(start, start + _BLOCK)
        yield keys[some], None if texts is None else texts[some], store.read(numbers[some])
        task.advance(len(numbers[some]))


def _write_npy(folder: Path, shape: tuple[int, int], blocks: Iterable[Block]) -> None:
    with ExitStack() as stack:
        vectors_file, keys_file, texts_file = (
            stack.enter_context((folder / name).open("wb")) for name in ("vectors.npy", "keys.npy", _TEXTS)
        )
        _write_npy_header(vectors_file, "<f4", shape)
        _write_npy_header(keys_file, "|u1", (shape[0], KEY_BYTES))
        for keys, texts, vectors in blocks:
            vectors_file.write(vectors.astype("<f4", copy=False).tobytes())
            keys_file.write(keys.tobytes())
            texts_file.write("".join(json.dumps({"text": text}) + "\n" for text in texts or ()).encode())
    if (folder / _TEXTS).stat().st_size == 0:
        (folder / _TEXTS).unlink()


def _write_npy_header(file: BinaryIO, kind: str, shape: tuple[int, int]) -> None:
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _write_parquet(folder: Path, shape: tuple[int, int], blocks: Iterable[Block]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"key": pa.binary(KEY_BYTES), "text": pa.string(), "vector": pa.list_(pa.float32(), shape[1])}
    with pq.ParquetWriter(folder / "vectors.parquet", pa.schema(types), compression="zstd") as writer:
        for keys, texts, vectors in blocks:
            columns = {
                "key": pa.array(list(map(bytes, keys)), types["key"]),
                "text": pa.nulls(len(keys), types["text"])
                if texts is None
                else pa.array(texts, types["text"]),
                "vector": pa.FixedSizeListArray.from_arrays(vectors.reshape(-1), shape[1]),
            }
            writer.write_table(pa.table(columns))
