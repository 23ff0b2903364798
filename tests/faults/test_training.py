"""R3, R6, R14: training killed at steps and inside a save, checkpoints damaged, numbers that are none."""

import json
import random
import shutil
import signal
import time

import numpy as np
import pytest

from faults import promises, rig
from faults.checkpoint_writer import EVERY, REQUEST
from faults.store_rig import Writer, counted, needs_strace
from isoglot import artefact
from isoglot.train import checkpoint

SEED = 20261122
SAVES = 4
KILLED = "resumed from the newest whole checkpoint, at most one interval lost; the same bytes at the end"
SAVED = "the checkpoint before or the new one, whole; saving on, the same bytes"
DAMAGED = "found by its checksum, named, and the one before taken"


def logged(run):
    """Steps in the log of a run."""
    path = run / "training" / "log.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return sum(line.endswith("}") for line in lines)


def kill_at(rig_, run, step):
    """Kill a run at a step; give broken promises."""
    process = rig_.start(run)
    while process.code is None and logged(run) < step:
        time.sleep(rig.POLL_SECONDS)
    process.send(signal.SIGKILL)
    code = process.wait()
    problems = [] if code == -signal.SIGKILL else [f"it ended with {code}: {process.text}"]
    problems += promises.nothing_half_written(run)
    steps = [int(path.name[5:]) for path in (run / "training").glob("step-*")]
    whole = json.loads((run / "training" / f"step-{max(steps):07d}" / "progress.json").read_text())
    if logged(run) - max(steps) > whole["schedule"]["evaluate_every"]:
        problems.append(f"killed at step {logged(run)}, the newest checkpoint is of step {max(steps)}")
    return problems


def kills(undisturbed, folder, runs, per_run, record_property):
    """Kill `runs` runs `per_run` times each, at rising random steps, and let each finish."""
    chance = random.Random(SEED)
    last = logged(undisturbed.whole)
    broken = []
    for number in range(runs):
        run = rig.prepare(undisturbed, rig.BY_NAME["training"], folder / f"run{number}")
        results = [
            kill_at(undisturbed, run, step) for step in sorted(chance.sample(range(2, last - 12), per_run))
        ]
        process = undisturbed.start(run)
        end = [] if process.wait() == 0 else [process.text]
        end = end or [*promises.nothing_left_over(run), *promises.same_result(undisturbed.whole, run)]
        for problems in results:
            record_property("fault", ("R3 kill -9 at a random step of training", KILLED, not problems + end))
            broken += problems + end
    assert not broken, "\n".join(dict.fromkeys(broken))


def test_training_survives_kills_at_some_steps(undisturbed, tmp_path, record_property):
    kills(undisturbed, tmp_path, 1, 2, record_property)


@pytest.mark.faults
def test_training_survives_kills_at_thirty_random_steps(undisturbed, tmp_path, record_property):
    kills(undisturbed, tmp_path, 5, 6, record_property)


@pytest.fixture(scope="module")
def saver(tmp_path_factory):
    """A process that saves checkpoints, what an undisturbed one leaves, and its system calls."""
    writer = Writer(tmp_path_factory.mktemp("saver"), "faults.checkpoint_writer")
    ended = writer.run(writer.folder / "whole", rows=SAVES)
    assert (ended.code, ended.committed) == (0, SAVES), ended.said
    yield writer, ended.calls
    writer.close()


def content(folder):
    return {
        str(path.relative_to(folder)): artefact.digest_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kill_inside(writer, call, index):
    """Kill a process at a system call of a save; give broken promises."""
    folder = writer.folder / "hit"
    shutil.rmtree(folder, ignore_errors=True)
    ended = writer.run(folder, f"inject={call}:signal=KILL:when={index}", rows=SAVES)
    problems = [] if ended.code == -signal.SIGKILL else [f"it ended with {ended.code}: {ended.said}"]
    found = checkpoint.newest(folder, REQUEST) if folder.is_dir() else None
    steps = -EVERY if found is None else found[1].step
    if steps < (ended.committed - 1) * EVERY:
        problems.append(f"{ended.committed} saved, the newest that verifies is of step {steps}")
    again = writer.run(folder, calls="", rows=SAVES)
    problems += [] if again.code == 0 else [f"saving on ended with {again.code}: {again.said}"]
    if content(folder) != content(writer.folder / "whole"):
        problems.append("what is left at the end differs")
    return [f"{call} {index}: {problem}" for problem in problems]


def kills_inside(saver, most, record_property):
    writer, calls = saver
    every = [(call, index) for call, times in counted(calls).items() for index in range(1, times + 1)]
    chosen = random.Random(SEED).sample(every, most)
    broken = []
    for call, index in chosen:
        problems = kill_inside(writer, call, index)
        record_property("fault", ("R3 kill -9 at a system call of a checkpoint's save", SAVED, not problems))
        broken += problems
    assert not broken, "\n".join(broken)


@needs_strace
def test_saving_survives_kills_at_some_system_calls(saver, record_property):
    kills_inside(saver, 3, record_property)


@needs_strace
@pytest.mark.faults
def test_saving_survives_kills_at_twenty_system_calls(saver, record_property):
    kills_inside(saver, 20, record_property)


def harm(path, action, before=b""):
    data = bytearray(path.read_bytes())
    if action == "delete":
        path.unlink()
        return
    place = random.Random(len(data)).randrange(len(data))
    changed = {
        "empty": b"", "half": data[: len(data) // 2], "one byte less": data.rstrip()[:-1],
        "one byte more": data + b"\0", "flip": data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :],
        "an older one in its place": before,
    }  # fmt: skip
    path.write_bytes(changed[action])


ACTIONS = ("delete", "empty", "half", "one byte less", "one byte more", "flip", "an older one in its place")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two checkpoints, each with best weights of its own."""
    import torch

    from isoglot.train.checkpoint import CurvePoint, Progressed
    from isoglot.train.schedule import Schedule
    from isoglot.train.validation import DevScore

    folder = tmp_path_factory.mktemp("saved")
    score = DevScore(0.5, 0.5, 0.1, "de", 0.4, 20.0, 0.1)
    for step in (10, 20):
        model = torch.nn.Linear(4, 4)
        curve = tuple(CurvePoint(number, 0.0, None, score) for number in (0, 10, 20))
        progressed = Progressed(step, 0.0, Schedule(90, 0, 10), curve, step)
        optimiser = torch.optim.AdamW(model.parameters())
        (model(torch.ones(1, 4)).sum() * step).backward()  # so that the two states of the optimiser differ
        optimiser.step()
        checkpoint.save(folder, progressed, model, optimiser, REQUEST)
    return folder


@pytest.mark.parametrize("action", ACTIONS)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(saved, tmp_path, action, record_property):
    """R6: every file of the newest checkpoint and of its best weights, whatever it holds."""
    files = sorted(path.relative_to(saved) for path in saved.glob("*-0000020/*"))
    assert {path.name for path in files} >= {"manifest.json", "model.safetensors", "progress.json"}
    broken = []
    for file in files:
        folder = tmp_path / file.parent.name / file.name
        shutil.copytree(saved, folder)
        older = saved / str(file.parent).replace("20", "10") / file.name
        harm(folder / file, action, older.read_bytes())
        found = checkpoint.newest(folder, REQUEST)
        said = checkpoint.passed_over(folder, REQUEST, found[0])
        held = found[0].name == "step-0000010" and len(said) == 1 and str(file.parent) in said[0]
        record_property("fault", (f"R6 {action}: a file of the newest checkpoint", DAMAGED, held))
        broken += [] if held else [(file, found[0].name, said)]
    assert not broken


def test_a_run_says_that_it_passed_a_damaged_checkpoint_over(undisturbed, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(undisturbed.whole, run)
    shutil.rmtree(run / "student")
    newest = max((run / "training").glob("step-*"))
    harm(newest / "optimiser.safetensors", "flip")
    process = undisturbed.start(run)
    assert process.wait() == 0, process.text
    line = next(line for line in process.text.splitlines() if line.startswith("checkpoint"))
    assert newest.name in line
    assert "passed over" in line
    assert promises.same_result(undisturbed.whole, run) == []


VALUES = (float("nan"), float("inf"), -float("inf"))


@pytest.mark.parametrize("group", [0, 7, 30, 59])
@pytest.mark.parametrize("value", VALUES)
def test_numbers_that_are_none_never_reach_the_weights(tiny_folder, tmp_path, value, group, record_property):
    """R14: whichever step meets the vector first is not taken; its texts are written down."""
    import importlib.util
    from pathlib import Path

    import torch

    from isoglot.train.loop import train

    place = importlib.util.spec_from_file_location(
        "loop_tests", Path(__file__).parents[1] / "train" / "test_loop.py"
    )
    loop = importlib.util.module_from_spec(place)
    place.loader.exec_module(loop)
    run = loop.make_run(tiny_folder, tmp_path, lambda encoder: loop.FLAT)
    run.objective.examples.vectors[group, 3] = value
    outcome = train(run)
    dumped = json.loads((tmp_path / "not_finite.json").read_text())
    newest, progressed = checkpoint.newest(tmp_path, "r")
    held = (
        "not finite" in outcome.remark
        and dumped["step"] == outcome.progressed.step + 1 > progressed.step
        and group in run.objective.examples.group[dumped["rows"]]
        and all(bool(torch.isfinite(tensor).all()) for tensor in loop.weights(run).values())
        and np.isfinite(progressed.curve[-1].score.retrieval)
        and newest.is_dir()
    )
    record_property(
        "fault", (f"R14 {value} in a teacher vector", "the step is not taken, its texts are kept", held)
    )
    assert held
