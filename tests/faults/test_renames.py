"""Kill -9 right before renames and inside removals: every window between two steps of a change on disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiny

PROMISE = "nothing half-written; the next run goes on and ends with the same bytes"


def sweep(tiny_folder, folder, most, record_property):
    recipe = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    command = [sys.executable, "-m", "faults.renames", str(recipe), str(folder), str(most)]
    tests, environment = Path(__file__).parent.parent, {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.run(
        command, cwd=tests, env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout)
    for result in results:
        what = "before a rename" if result["moment"].startswith("before") else "inside a removal"
        record_property("fault", (f"kill -9 {what}", PROMISE, not result["problems"]))
    broken = {problem: result["moment"] for result in results for problem in result["problems"]}
    assert not broken, "\n".join(f"{moment}: {problem}" for problem, moment in broken.items())
    return results


@pytest.mark.faults
def test_a_run_survives_a_kill_before_every_rename(tiny_folder, tmp_path, record_property):
    moments = [result["moment"] for result in sweep(tiny_folder, tmp_path, 200, record_property)]
    for name in (
        "corpus",
        "store.json",
        "warm_start",
        "step-0000000",
        "student",
        "report.html",
        "scores.json",
    ):
        assert f"before the rename to {name}" in moments
    assert any("removed" in moment for moment in moments)
