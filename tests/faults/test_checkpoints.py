"""R3, R6, R14: saving killed at system calls, checkpoints damaged, numbers that are none."""

import itertools
import json
import random
import shutil
import signal

import numpy as np
import pytest

import small_loop
from faults.checkpoint_writer import EVERY, REQUEST
from faults.damage import ACTIONS, harm
from faults.store_rig import Writer, counted, needs_strace
from isoglot import artefact
from isoglot.train import checkpoint

SEED = 20261122
SAVES = 4
SAVED = "the checkpoint before or the new one, whole; saving on, the same bytes"
DAMAGED = "found by its checksum, named, and the one before taken"


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


VALUES = (float("nan"), float("inf"), -float("inf"))


SOME = ((VALUES[0], 30), (VALUES[1], 59), (VALUES[2], 0))


@pytest.mark.parametrize(
    ("value", "group"),
    [
        pytest.param(*each, marks=() if each in SOME else pytest.mark.faults)
        for each in itertools.product(VALUES, (0, 7, 30, 59))
    ],
)
def test_numbers_that_are_none_never_reach_the_weights(tiny_folder, tmp_path, value, group, record_property):
    """R14: whichever step meets the vector first is not taken; its texts are written down."""
    import torch

    from isoglot.train.loop import train

    run = small_loop.make_run(tiny_folder, tmp_path, lambda encoder: small_loop.FLAT)
    run.objective.examples.vectors[group, 3] = value
    outcome = train(run)
    dumped = json.loads((tmp_path / "not_finite.json").read_text())
    newest, progressed = checkpoint.newest(tmp_path, "r")
    held = (
        "not finite" in outcome.remark
        and dumped["step"] == outcome.progressed.step + 1 > progressed.step
        and group in run.objective.examples.group[dumped["rows"]]
        and all(bool(torch.isfinite(tensor).all()) for tensor in small_loop.weights(run).values())
        and np.isfinite(progressed.curve[-1].score.retrieval)
        and newest.is_dir()
    )
    record_property(
        "fault", (f"R14 {value} in a teacher vector", "the step is not taken, its texts are kept", held)
    )
    assert held
