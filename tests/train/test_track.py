"""What TensorBoard and trackio are given, read back with their own readers; trackio reaches nobody."""

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import small_loop
from isoglot.config import TrainConfig
from isoglot.errors import RequestError
from isoglot.train.loop import train
from small_loop import make_run
from stopping import StoppedError, StopsAt

CONFIG = {**small_loop.CONFIG.model_dump(), "epochs": 2}


def logged(folder):
    return {
        entry["step"]: entry for entry in map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    }


def drawn(folder, tag):
    """What TensorBoard would draw: step -> value; a step that is there twice fails."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    points = [(event.step, event.value) for event in events.Scalars(tag)]
    assert len(dict(points)) == len(points)
    return dict(points)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_has_every_loss_and_every_look_of_a_run_that_was_resumed(tiny_folder, tmp_path):
    config = TrainConfig(**{**CONFIG, "track": "tensorboard"})
    with pytest.raises(StoppedError):
        train(make_run(tiny_folder, tmp_path, config=config), StopsAt(4))
    outcome = train(make_run(tiny_folder, tmp_path, config=config))
    losses = drawn(tmp_path, "train/loss")
    wanted = {step: entry["loss"] for step, entry in logged(tmp_path).items()}
    assert losses == pytest.approx(wanted, rel=1e-6)
    looks = {point.step: point.score.retrieval for point in outcome.progressed.curve if point.step}
    assert drawn(tmp_path, "dev/retrieval") == pytest.approx(looks, rel=1e-6)


def test_without_the_option_only_the_log_is_written(tiny_folder, tmp_path):
    train(make_run(tiny_folder, tmp_path, config=TrainConfig(**CONFIG)))
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(("step-", "best-"))} == {
        "log.jsonl"
    }
    assert set(logged(tmp_path)[1]) == {"step", "loss", "rate", "seconds", "tokens", "rows"}


def test_the_tool_does_not_change_what_the_run_is(tiny_folder, tmp_path):
    """A run may be resumed with another tool, or with more patience between processes."""
    plain = TrainConfig(**CONFIG)
    other = TrainConfig(**{**CONFIG, "track": "trackio", "process_timeout": 5.0})
    assert plain.shaping() == other.shaping()
    assert plain.shaping() != TrainConfig(**{**CONFIG, "clip": 0.5}).shaping()


@pytest.mark.parametrize("variable", ["TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"])
def test_trackio_is_refused_when_it_would_send_the_log_away(tiny_folder, tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, "someone/somewhere")
    run = make_run(tiny_folder, tmp_path, config=TrainConfig(**{**CONFIG, "track": "trackio"}))
    with pytest.raises(RequestError, match=f"{variable} is set"):
        train(run)


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from isoglot.config import TrainConfig
from isoglot.train.loop import train
from small_loop import CONFIG, make_run
from stopping import StoppedError, StopsAt
config = TrainConfig(**{**CONFIG.model_dump(), "epochs": 2, "track": "trackio"})
try:
    train(make_run(Path(sys.argv[2]), Path(sys.argv[3]), config=config), StopsAt(int(sys.argv[4])))
except StoppedError:
    pass
"""
READER = """
import json
from trackio.sqlite_storage import SQLiteStorage
[name] = SQLiteStorage.get_runs("isoglot")
print(json.dumps([name, SQLiteStorage.get_logs("isoglot", name)]))
"""


ASKED = []


class Hub(http.server.BaseHTTPRequestHandler):
    """Notes who asks."""

    def do_GET(self):
        ASKED.append(self.path)
        self.send_error(404)

    def do_POST(self):
        self.do_GET()

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_trackio_has_every_step_once_prints_nothing_and_asks_nobody(tiny_folder, tmp_path, hub):
    """In a process with a token for the model hub, which trackio would ask for the name of the account."""
    tests, folder = Path(__file__).parents[1], tmp_path / "mine" / "training"
    variables = {
        **os.environ, "TRACKIO_DIR": str(tmp_path / "trackio"), "HF_ENDPOINT": hub, "HF_TOKEN": "hf_canary",
        "PYTHONPATH": str(tests), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    variables.pop("HF_HUB_OFFLINE")  # which the tests set, and a user does not
    for stop in ("4", "999"):  # the second one resumes and is not stopped
        arguments = [str(tests), str(tiny_folder), str(folder), stop]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            capture_output=True, text=True, timeout=200, check=False, env=variables,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
    read = subprocess.run(
        [sys.executable, "-c", READER], capture_output=True, text=True, timeout=100, check=True, env=variables
    )
    name, rows = json.loads(read.stdout)
    assert name == "mine-r"
    losses = [(row["step"], row["train/loss"]) for row in rows if "train/loss" in row]
    assert losses == [(step, pytest.approx(entry["loss"])) for step, entry in logged(folder).items()]
    curve = json.loads((max(folder.glob("step-*")) / "progress.json").read_text())["curve"]
    looks = [row["step"] for row in rows if "dev/retrieval" in row]
    assert looks == [point["step"] for point in curve if point["step"]]
    assert ASKED == []
