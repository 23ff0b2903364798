"""Data of an MTEB task from a hub: the real client libraries against a hub on loopback, in the command."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hub
import tiny

pytestmark = pytest.mark.slow

DATASET = "mteb/stsbenchmark-sts"  # what MTEB's STSBenchmark asks for
SENTENCES = [tiny.sentence(number * 11) for number in range(40)]
ROWS = {
    "sentence1": SENTENCES,
    "sentence2": [*SENTENCES[3:], *SENTENCES[:3]],
    "score": np.random.default_rng(0).uniform(0, 5, 40).tolist(),
}


def files():
    data = io.BytesIO()
    pq.write_table(pa.table(ROWS), data)
    return {"data/test-00000-of-00001.parquet": data.getvalue()}


def evaluate(folder, model, endpoint, offline="0"):
    environment = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": offline, "HF_HOME": str(folder / "home"),
        "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    command = ["evaluate", str(model), "--suite", "mteb:STSBenchmark", "--out", "out", "--json"]
    return subprocess.run(
        [sys.executable, "-m", "isoglot.cli.main", *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


def test_data_that_are_not_local_come_from_the_hub(tmp_path, tiny_folder):
    import mteb

    revision = mteb.get_task("STSBenchmark").metadata.revision
    with hub.serving(DATASET, files(), {}, revision) as server:
        done = evaluate(tmp_path, tiny_folder / "teacher", server.url)
        assert done.returncode == 0, done.stderr
        (score,) = json.loads(done.stdout)["mteb"]
        assert any("/resolve/" in line for line in server.log)
    assert (score["task"], score["data"]) == ("mteb:STSBenchmark", revision)
    written = json.loads((tmp_path / "out" / score["file"]).read_text())
    assert written["dataset_revision"] == revision
    assert written["scores"]["test"][0]["main_score"] == pytest.approx(score["value"], abs=1e-6)


def test_a_hub_that_may_not_be_asked_is_not(tmp_path, tiny_folder):
    with hub.serving(DATASET, files(), {}) as server:
        done = evaluate(tmp_path, tiny_folder / "teacher", server.url, offline="1")
        assert (done.returncode, server.log, "Traceback" in done.stderr) == (2, [], False)
    assert "STSBenchmark are not among the local ones and cannot be fetched" in done.stderr
    assert "Give stsb with --data" in done.stderr
