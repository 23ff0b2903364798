"""`hf:` from a hub: the real client libraries against a hub on loopback, in the command as a user calls it."""

import io
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hub

pytestmark = pytest.mark.slow

HEAD = "---\nconfigs:\n- config_name: en-de\n  data_files:\n  - split: train\n    path: en-de/train-*\n---\n"
TEXTS = {
    "english": ["The door is open.", "A red house."],
    "non_english": ["Die Tür ist offen.", "Ein rotes Haus."],
}


def files():
    data = io.BytesIO()
    pq.write_table(pa.table(TEXTS), data)
    return {"README.md": HEAD.encode(), "en-de/train-0.parquet": data.getvalue()}


def build(tmp_path, endpoint, source, offline="0"):
    environment = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": offline, "HF_HOME": str(tmp_path / "home"),
        "NO_PROXY": "127.0.0.1", "PYTHONWARNINGS": "default",
    }  # fmt: skip
    command = [sys.executable, "-m", "isoglot.cli.main", "corpus", "build", source, "--out", "out", "--json"]
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_a_dataset_is_streamed_at_the_commit_its_revision_means(tmp_path):
    with hub.serving("org/toy", files(), {"license": "cc-by-4.0"}) as server:
        done = build(tmp_path, server.url, "hf:org/toy/en-de@main")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["read"], found["kept"], list(found["languages"])) == (2, 2, ["de"])
        notice = (tmp_path / "out" / "NOTICE").read_text()
        assert f"- toy (licence: cc-by-4.0). Dataset org/toy at revision {hub.COMMIT}." in notice
        assert "GET /api/datasets/org/toy/revision/main" in server.log
        assert all(hub.COMMIT in line for line in server.log if "/resolve/" in line or "/tree/" in line)
        again = build(tmp_path, server.url, "hf:org/toy/en-de@main")
        assert json.loads(again.stdout) == found and "already built" in again.stderr


def test_what_a_hub_does_not_have(tmp_path):
    with hub.serving("org/toy", files(), {}) as server:
        for source, said in (
            ("hf:org/none/en-de", "hf:org/none/en-de cannot be found"),
            ("hf:org/toy/en-fr", "'en-fr' not found. Available: ['en-de']"),
        ):
            done = build(tmp_path, server.url, source)
            assert (done.returncode, "Traceback" in done.stderr) == (2, False)
            assert said in done.stderr
        assert not (tmp_path / "out").exists()


def test_a_hub_that_is_not_there_or_may_not_be_asked(tmp_path):
    done = build(tmp_path, "http://127.0.0.1:9", "hf:org/toy/en-de")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "The hub cannot be asked for hf:org/toy/en-de" in done.stderr
    done = build(tmp_path, "http://127.0.0.1:9", "hf:org/toy/en-de", offline="1")
    assert done.returncode == 2 and "HF_HUB_OFFLINE forbids" in done.stderr
