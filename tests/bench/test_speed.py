"""The benches of speed run on tiny models; their figures say nothing here, their shape does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tiny

BENCH = Path(__file__).parents[2] / "bench"
SMALL = ["--sets", "made", "--groups", "60", "--steps", "2", "--threads", "1", "--json"]


def run(name, data, student, *more):
    call = [sys.executable, str(BENCH / name), "--data", str(data), "--student", str(student), *SMALL]
    call += ["--languages", *tiny.CODES, *more]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_efficiency(bench_data, tiny_folder):
    found = run("efficiency.py", bench_data, tiny_folder / "student", "--batch-tokens", "128")
    assert 0 < found["share"] < 1
    kinds = found["profile"]["kinds"]
    assert sum(kinds.values()) == pytest.approx(1, abs=0.01)
    assert {"products", "attention", "optimiser", "norms"} <= set(kinds)


@pytest.mark.slow
def test_static(bench_data, tiny_folder):
    few = ["--rounds", "1", "--batches", "8", "--encode-batches", "8"]
    found = run("static_vs_model2vec.py", bench_data, tiny_folder / "student", *few)
    assert found["encoded"]["cosine"]["StaticEmbedding"]["lowest"] == pytest.approx(1)
    assert found["encoded"]["cosine"]["model2vec"]["lowest"] == pytest.approx(1)
    assert found["trained"]["ratio"] > 0
