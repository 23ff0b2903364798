"""Bitext mining's neighbours, both directions: our exact k-NN beside FAISS' IndexFlatIP on the same vectors.

    pip install 'isoglot[faiss]'
    python bench/mine_vs_faiss.py [--rows 100000] [--dimension 384] [--threads 2] [--folder DIR] [--json]

Two sides of unit vectors are made: every target is a noisy copy of a source, around a common mean, as encoders give
them. The arms run one after another, each in a process of its own with so many threads:

- gemm     what the machine's float32 products reach: NumPy's and torch's, for blocks as ours and for large squares,
           before and after the others; the best of all counts
- ours     `nearest_both_ways`, one pass
- forward  `nearest`, one direction
- faiss    `IndexFlatIP`, sources in targets and targets in sources, as LASER and sentence-transformers mine

Seconds are from vectors in files to neighbours; peak RSS is the process'. FAISS' neighbours come from float32 products:
where its order differs from ours, both choices are scored in float64, and what lies within 1e-6 counts as rounding.
With --folder, finished arms are kept there and not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

K = 4
ROUNDING = 1e-6
FLOAT32 = 2.0**-23  # ours are equal, and go by number, when they are equal as float32
GOALS = {"times faiss": 2.0, "share of gemm": 0.8, "peak RSS, MB": 2000}
SHAPES = ((1024, 4096, 384), (4096, 4096, 4096))
GEMM_SECONDS = 4.0
ARMS = ("gemm", "ours", "forward", "faiss", "gemm again")


def main() -> None:
    """Print the figures, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="for data and finished arms; kept")
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.arm:
        run_arm(options.folder, options.arm)
        return
    with tempfile.TemporaryDirectory(prefix="mine_vs_faiss-") as name:
        result = compare(options.folder or Path(name), options)
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


def compare(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run every arm that has no result yet, and put the results beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    write_sides(folder, options.rows, options.dimension)
    environment = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(options.threads)),
    }
    arms: dict[str, Any] = {}
    for arm in ARMS:
        if not (folder / f"{arm}.json").exists():
            command = [sys.executable, __file__, "--folder", str(folder), "--arm", arm]
            subprocess.run(command, check=True, env=environment)
        arms[arm] = json.loads((folder / f"{arm}.json").read_text())
    rate = max(arms["gemm"]["gflops"], arms["gemm again"]["gflops"])
    one_pass = 2 * options.rows**2 * options.dimension / 1e9
    return {
        "rows": options.rows, "dimension": options.dimension, "threads": options.threads,
        "load average at the start": round(os.getloadavg()[0], 1),
        "gemm, GFLOP/s": rate,
        "seconds": {arm: arms[arm]["seconds"] for arm in ("ours", "forward", "faiss")},
        "processor seconds": {arm: arms[arm]["processor seconds"] for arm in ("ours", "forward", "faiss")},
        "times faiss": round(arms["faiss"]["seconds"] / arms["ours"]["seconds"], 2),
        "times faiss, processor seconds": round(
            arms["faiss"]["processor seconds"] / arms["ours"]["processor seconds"], 2
        ),
        "one direction, times faiss": round(arms["faiss"]["forward seconds"] / arms["forward"]["seconds"], 2),
        "share of gemm": {
            "ours": round(one_pass / arms["ours"]["seconds"] / rate, 3),
            "forward": round(one_pass / arms["forward"]["seconds"] / rate, 3),
            "faiss": round(2 * one_pass / arms["faiss"]["seconds"] / rate, 3),
        },
        "peak RSS, MB": {arm: arms[arm]["peak RSS, MB"] for arm in ("ours", "forward", "faiss")},
        "neighbours": {way: differences(folder, way) for way in ("forward", "backward")},
        "goals": GOALS,
    }  # fmt: skip


def write_sides(folder: Path, rows: int, dimension: int) -> None:
    """Make both sides once."""
    if (folder / "targets.npy").exists():
        return
    random = np.random.default_rng(0)
    mean = 0.8 * random.standard_normal(dimension, np.float32)
    sources = mean + random.standard_normal((rows, dimension), np.float32)
    targets = sources[random.permutation(rows)] + 0.8 * random.standard_normal((rows, dimension), np.float32)
    for name, side in (("sources", sources), ("targets", targets)):
        np.save(folder / f"{name}.npy", side / np.linalg.norm(side, axis=1, keepdims=True))


def run_arm(folder: Path, arm: str) -> None:
    """Do one arm in this process and write its result."""
    measure: Callable[[Path], dict[str, float]] = {"ours": ours, "forward": forward, "faiss": faiss}.get(
        arm, gemm
    )
    began, before = time.perf_counter(), time.process_time()
    found = measure(folder)
    found.setdefault("seconds", round(time.perf_counter() - began, 2))
    found["processor seconds"] = round(time.process_time() - before, 2)
    found["peak RSS, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    (folder / f"{arm}.json").write_text(json.dumps(found))


def mapped(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both sides, mapped from their files."""
    return np.load(folder / "sources.npy", mmap_mode="r"), np.load(folder / "targets.npy", mmap_mode="r")


def ours(folder: Path) -> dict[str, float]:
    """Both directions in one pass."""
    from isoglot.mine.knn import nearest_both_ways

    found = nearest_both_ways(*mapped(folder), K)
    np.save(folder / "ours-forward.npy", found.forward[1])
    np.save(folder / "ours-backward.npy", found.backward[1])
    return {}


def forward(folder: Path) -> dict[str, float]:
    """One direction."""
    from isoglot.mine.knn import nearest

    nearest(*mapped(folder), K)
    return {}


def faiss(folder: Path) -> dict[str, float]:
    """Both directions, one index after the other."""
    import faiss as library

    began = time.perf_counter()
    sides, seconds = [np.ascontiguousarray(side) for side in mapped(folder)], 0.0
    for way, (one, other) in (("forward", sides), ("backward", sides[::-1])):
        index = library.IndexFlatIP(other.shape[1])
        index.add(other)
        np.save(folder / f"faiss-{way}.npy", index.search(one, K)[1])
        seconds = seconds or time.perf_counter() - began
        del index
    return {"forward seconds": round(seconds, 2)}


def gemm(folder: Path) -> dict[str, float]:
    """Highest rate of float32 products, of two libraries and two shapes, each for some seconds."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    best = 0.0
    for rows, columns, depth in SHAPES:
        one, other = np.ones((rows, depth), np.float32), np.ones((columns, depth), np.float32)
        space = np.empty((rows, columns), np.float32)
        tensors = [torch.from_numpy(array) for array in (one, other, space)]
        multiply = (
            lambda one=one, other=other, space=space: np.matmul(one, other.T, out=space),
            lambda tensors=tensors: torch.mm(tensors[0], tensors[1].T, out=tensors[2]),
        )
        for product in multiply:
            product()
            times, began = 0, time.perf_counter()
            while time.perf_counter() - began < GEMM_SECONDS:
                product()
                times += 1
            best = max(best, 2e-9 * rows * columns * depth * times / (time.perf_counter() - began))
    return {"gflops": round(best, 1)}


def differences(folder: Path, way: str) -> dict[str, int]:
    """Rows whose neighbours differ, and those that float64 scores do not explain by rounding."""
    sides = mapped(folder)
    one, other = sides if way == "forward" else sides[::-1]
    ids = [np.load(folder / f"{name}-{way}.npy") for name in ("ours", "faiss")]
    rows = np.flatnonzero((ids[0] != ids[1]).any(axis=1))
    scores = [np.einsum("rd,rkd->rk", one[rows].astype(np.float64), other[found[rows]]) for found in ids]
    wrong = np.abs(scores[0] - scores[1]).max(axis=1, initial=0.0) > ROUNDING
    lower = (scores[0] < scores[1] - FLOAT32).any(axis=1)
    return {"differ": len(rows), "beyond rounding": int(wrong.sum()), "ours scored lower": int(lower.sum())}


if __name__ == "__main__":
    main()
