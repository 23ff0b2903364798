"""How fast is a teacher store to open and to read at random?  Beside NumPy's memory map of one file.

    python bench/store_reads.py [--rows 1000000] [--large 10000000] [--json]

Synthetic vectors of 384 dimensions go through the store's own writer into a temporary folder (0.8 GB a million rows;
--folder says where), which is removed at the end. Reads are batches of 64 random rows, in rows a second: the best and
the median of rounds of 2000 batches, after one that brings the file into memory; per processor second for machines
that are busy with other work. `stored`: the bytes as they are kept;
`float32`: what training gets; `memmap`: the stored rows from one .npy file by fancy indexing. The large store is only
opened, located in and read from.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import IsoglotError
from isoglot.scale.plan import cut
from isoglot.teacher.store import Store
from isoglot.teacher.store_shard import StorePrecision
from isoglot.teacher.store_write import StoreWriter

DIMENSION, BATCH, BATCHES, ROUNDS = 384, 64, 2000, 9
GOALS = {"stored rows/s": 1_000_000, "open seconds": 1.0}


def main() -> None:
    """Print the figures, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000, help="rows of the large store; 0: none")
    parser.add_argument("--chunk-rows", type=int, default=1024)
    parser.add_argument("--precision", choices=["fp16", "int8"], default="fp16")
    parser.add_argument("--folder", type=Path, default=None, help="where the temporary stores go")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result: dict[str, object] = {"goals": GOALS, "load average at the start": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory(prefix="store_reads-", dir=options.folder) as name:
        folder = Path(name)
        result["store"] = measure(folder / "store", options.rows, options.chunk_rows, options.precision)
        result["memmap rows/s"] = measure_memmap(folder / "one.npy", options.rows)
        if options.large:
            shutil.rmtree(folder / "store")
            (folder / "one.npy").unlink()
            result["large store"] = measure(
                folder / "large", options.large, options.chunk_rows, options.precision
            )
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


def measure(folder: Path, rows: int, chunk_rows: int, precision: StorePrecision) -> dict[str, object]:
    """Write a store and measure it."""
    refuse_full_disk(folder.parent, rows)
    write_seconds = write(folder, rows, chunk_rows, precision)
    began = time.perf_counter()
    store = Store.open(folder)
    open_seconds = time.perf_counter() - began
    began = time.perf_counter()
    _, numbers = store.sorted_keys()
    index_seconds = time.perf_counter() - began
    return {
        "rows": store.rows,
        "shards": len(store.entries),
        "bytes": sum(entry.size for entry in store.entries.values()),
        "write rows/s": round(rows / write_seconds),
        "open seconds": round(open_seconds, 3),
        "key index seconds": round(index_seconds, 2),
        "stored rows/s": rate(store.read_stored, numbers),
        "float32 rows/s": rate(store.read, numbers),
    }


def write(folder: Path, rows: int, chunk_rows: int, precision: StorePrecision) -> float:
    """Fill a store with vectors of random numbers under random keys; give the seconds."""
    chance = np.random.default_rng(0)
    began = time.perf_counter()
    store = StoreWriter.create(
        folder, {"dimension": DIMENSION, "fingerprint": "synthetic"}, chunk_rows, precision
    )
    pool = chance.standard_normal((chunk_rows, DIMENSION), np.float32)
    first = np.sort(chance.integers(0, 2**63, rows, dtype=np.uint64)).astype(">u8")
    for start in range(0, rows, chunk_rows):
        some = first[start : start + chunk_rows]
        keys = [prefix.tobytes() + bytes(8) for prefix in some]
        [chunk] = cut(keys, chunk_rows)
        store.commit(chunk, keys, np.roll(pool, start // chunk_rows, axis=1)[: len(keys)])
    store.seal()
    return time.perf_counter() - began


def measure_memmap(path: Path, rows: int) -> dict[str, int]:
    """Read the same number of stored rows from one file."""
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": (rows, DIMENSION)}
        np.lib.format.write_array_header_1_0(file, header)
        block = np.random.default_rng(0).standard_normal((10_000, DIMENSION), np.float32).astype(np.float16)
        for start in range(0, rows, len(block)):
            file.write(block[: rows - start].tobytes())
    table = np.load(path, mmap_mode="r")
    return rate(lambda numbers: np.asarray(table)[numbers], np.arange(rows))


def rate(read: Callable[[NDArray[np.int64]], object], numbers: NDArray[np.int64]) -> dict[str, int]:
    """Rows a second in batches of random rows."""
    chance = np.random.default_rng(1)
    for start in range(0, len(numbers), 4096):
        read(numbers[start : start + 4096])
    rates, own = [], []
    for _ in range(ROUNDS):
        batches = numbers[chance.integers(0, len(numbers), (BATCHES, BATCH))]
        began, busy = time.perf_counter(), time.process_time()
        for batch in batches:
            read(batch)
        rates.append(BATCHES * BATCH / (time.perf_counter() - began))
        own.append(BATCHES * BATCH / (time.process_time() - busy))
    return {
        "best": round(max(rates)),
        "median": round(statistics.median(rates)),
        "best per processor second": round(max(own)),
    }


def refuse_full_disk(folder: Path, rows: int) -> None:
    """Stop before a store that would fill the disk."""
    needed, free = rows * (2 * DIMENSION + 16) * 5 // 4, shutil.disk_usage(folder).free
    if free < needed:
        raise IsoglotError(f"{folder} has {free} bytes free and needs {needed}.", "Give another --folder.")


if __name__ == "__main__":
    main()
