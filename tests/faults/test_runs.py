"""R3, R6, R11, R15: whole runs that are killed, stopped, out of memory or left with a damaged checkpoint.

All in one file, as all are compared with one undisturbed run, which takes a quarter of a minute.
"""

import json
import random
import re
import shutil
import signal
import time

import pytest

from faults import promises, rig
from faults.cases import FAST, FULL, carry_out
from faults.damage import harm
from faults.exhausted import ENDS

SEED = 20261122
KILLED = "resumed from the newest whole checkpoint, at most one interval lost; the same bytes at the end"
WORKER = (
    "R15 a worker of isoglot embed ends: exit, segmentation fault, full memory",
    "said within 30 s with exit 1, nothing hangs; resumed, the same bytes",
)
MEMORY = (
    "R15 memory is full in embed, warm start and training",
    "said within 30 s with exit 1 and what to do; resumed, the same bytes",
)
CRASHED = (
    "R15 memory is full, and oneDNN crashes without memory for the code of a bf16 product",
    "says within 30 s where it was, ends by SIGSEGV; resumed, the same bytes",
)
SOON = 30.0
ENDINGS = {
    "exit": "ended with exit code 9 while it worked on chunk",
    "segmentation fault": "was killed by SIGSEGV while it worked on chunk",
    "memory": "Memory ran out in worker process",
}


def hold(name, plan, rig, run, record_property):
    problems = []
    for result in carry_out(plan, rig, run, f"{SEED} {name}"):
        record_property("fault", (result.injection, result.promise, not result.problems))
        problems += [f"{result.injection}: {problem}" for problem in result.problems]
    assert not problems, "\n\n".join(dict.fromkeys(problems))


@pytest.mark.parametrize("name", FAST)
def test_a_run_survives(name, undisturbed, tmp_path, record_property):
    hold(name, FAST[name], undisturbed, tmp_path / "run", record_property)


@pytest.mark.faults
@pytest.mark.parametrize("name", FULL)
def test_a_run_survives_in_every_stage(name, undisturbed, tmp_path, record_property):
    hold(name, FULL[name], undisturbed, tmp_path / "run", record_property)


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


def said_in_time(process, said, began=None):
    """Wait for the end of a process that cannot go on; give broken promises."""
    code, ended = process.wait(), time.time()
    began = float(re.search(rf"{ENDS} (\S+)", process.text)[1]) if began is None else began
    problems = [] if code == 1 else [f"it ended with {code}"]
    problems += [] if ended - began < SOON else [f"it took {ended - began:.0f} s"]
    problems += [] if said in process.text else [f"it does not say {said!r}"]
    if process.text.count("error: ") != 1 or "un the same command again" not in process.text:
        problems.append("it does not say once what is wrong and what to do")
    return [f"{problem}:\n{process.text}" for problem in problems]


def a_worker_ends(embedding, how, record_property):
    store = embedding.folder / f"workers, {how}"
    process = embedding.start(store, "--workers", "2", workers=how)
    problems = said_in_time(process, ENDINGS[how]) + embedding.finish(store)
    record_property("fault", (*WORKER, not problems))
    assert not problems, "\n".join(problems)


def crash_of_onednn(process):
    """Tell whether a process died inside torch where that computes in bf16, which we can neither catch nor prevent."""
    import torch

    from isoglot.encode.precision import choose

    died = process.wait() == -signal.SIGSEGV and choose("auto", torch.device("cpu")) == "bf16"
    where = re.search(r"Fatal Python error: Segmentation fault\n(?:.*\n)*?  File \"(.*)\"", process.text)
    return died and where is not None and "/torch/" in where[1]


def memory_is_full(undisturbed, run, place, record_property):
    rig.prepare(undisturbed, rig.BY_NAME[place], run)
    process = undisturbed.start(run)
    while process.code is None and not rig.BY_NAME[place].begun(process):
        time.sleep(rig.POLL_SECONDS)
    process.send(signal.SIGUSR1)
    began = time.time()
    crashed = crash_of_onednn(process) and time.time() - began < SOON
    problems = [] if crashed else said_in_time(process, "Memory ran out", began)
    problems += promises.nothing_half_written(run)
    again = undisturbed.start(run)
    problems += promises.same_result(undisturbed.whole, run) if again.wait() == 0 else [again.text]
    record_property("fault", (*(CRASHED if crashed else MEMORY), not problems))
    assert not problems, "\n".join(problems)


def test_a_full_memory_in_training_is_said(undisturbed, tmp_path, record_property):
    memory_is_full(undisturbed, tmp_path / "run", "training", record_property)


@pytest.mark.faults
@pytest.mark.parametrize("how", ENDINGS)
def test_a_worker_that_ends_is_said(embedding, how, record_property):
    a_worker_ends(embedding, how, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("place", ["teacher vectors", "warm start", "training"])
def test_a_full_memory_is_said(undisturbed, tmp_path, place, record_property):
    memory_is_full(undisturbed, tmp_path / "run", place, record_property)
