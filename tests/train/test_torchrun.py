"""The real command under torchrun: one student of two processes; R16, one of them is killed, hangs or is slow."""

import json
import os
import shutil
import signal
import time

import numpy as np
import pytest

import processes
import tiny

pytestmark = pytest.mark.slow

SECONDS = 8  # after which a silent process is given up
# mean pooling alone: of two tokens that are the maximum but for rounding, one process may follow the other than two do
SETTINGS = (
    "train.epochs=6", "train.batch_tokens=128", "train.evaluations=8", "train.accumulate=2",
    f"train.process_timeout={SECONDS}", "student.precision=fp32", "student.pooling=['mean']",
)  # fmt: skip
GRACE = 6  # for the end of a program, on a busy machine
ENDS = "the others end within the timeout and say so; the next run ends as an undisturbed one"
TEXTS = [tiny.sentence(number * 13) for number in range(50)]


def steps_of(out):
    path = out / "training" / "log.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


class Command:
    """`isoglot distil` on the tiny models."""

    def __init__(self, tiny_folder, root):
        self.models, self.root = tiny_folder, root

    def arguments(self, out):
        changes = [word for setting in SETTINGS for word in ("--set", setting)]
        texts = ["--corpus", str(self.models / "pairs.tsv"), "--set", "corpus.clean.max_untranslated=1.0"]
        who = ["--teacher", str(self.models / "teacher"), "--student", str(self.models / "student")]
        rates = ["--set", "train.learning_rate=1e-3", "--set", "evaluate.pool=60"]
        return ["distil", *who, *texts, *rates, *changes, "--out", str(out), "--json"]

    def together(self, out):
        return processes.Torchrun(2, "isoglot", self.arguments(out), out.with_name(f"{out.name}.log"))


@pytest.fixture(scope="module")
def command(tiny_folder, tmp_path_factory):
    return Command(tiny_folder, tmp_path_factory.mktemp("torchrun"))


@pytest.fixture(scope="module")
def whole(command):
    """What one process makes of it, undisturbed."""
    out = command.root / "whole"
    done = processes.alone("isoglot", command.arguments(out))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def prepared(whole, tmp_path):
    """A run folder in which all that comes before training is done."""
    out = tmp_path / "run"
    for name in ("corpus", "store", "warm_start"):
        shutil.copytree(whole / name, out / name)
    return out


def same_student(whole, out):
    """Whether two runs saw the same batches and gave the same student but for rounding."""
    from isoglot.encode.encoder import load_encoder

    a, b = steps_of(whole), steps_of(out)
    assert [step["rows"] for step in a] == [step["rows"] for step in b]
    assert max(abs(x["loss"] - y["loss"]) for x, y in zip(a, b, strict=True)) < 1e-6
    vectors = [load_encoder(run / "student", precision="fp32").encode(TEXTS) for run in (whole, out)]
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-4
    return True


def test_two_processes_publish_the_student_of_one(command, whole, tmp_path):
    """From nothing: the first process builds and embeds while the other waits; the lock is the first one's alone."""
    out = tmp_path / "run"
    started = command.together(out)
    assert started.wait() == 0, started.text
    assert same_student(whole, out)
    printed = [json.loads(line) for line in started.text.splitlines() if line.startswith("{")]
    assert [one["student"] for one in printed] == [str(out / "student")]
    assert [line.split()[0] for line in started.text.splitlines() if line.startswith("models")] == ["models"]


def struck(command, out, fault, number, done):
    """Strike one of two processes after `done` steps; give the seconds until the other had ended, and what was said."""
    started = command.together(out)
    processes.until(lambda: len(steps_of(out)) > done or started.popen.poll() is not None)
    members = started.members()
    assert set(members) == {0, 1}, started.text
    os.kill(members[number], signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
    try:
        seconds = processes.until(lambda: 1 - number not in started.members(), SECONDS + GRACE)
    finally:
        started.end()
    return seconds, started.text


def stopped_and_let_go(started, number):
    """Stop a process for a second now and then, which is less than the timeout."""
    for _ in range(3):
        member = started.members().get(number)
        if member is not None:
            os.kill(member, signal.SIGSTOP)
            time.sleep(1.0)
            os.kill(member, signal.SIGCONT)
            time.sleep(0.1)


def is_told(fault, said):
    """Whether the other process says why it ended; torchrun, which sees a dead one at once, may be faster."""
    return (
        "lost the others" in said or "showed no life" in said or (fault == "killed" and "interrupted" in said)
    )


def test_a_hung_and_then_a_killed_process_end_the_other_and_a_slow_one_is_waited_for(
    command, whole, prepared, record_property
):
    """One run three times; the table of `faults` has each fault in each process, undisturbed before and after."""
    steps = len(steps_of(whole))
    for fault, number, share in (("hung", 0, 0.1), ("killed", 1, 0.35)):
        seconds, said = struck(command, prepared, fault, number, share * steps)
        held = seconds <= SECONDS + GRACE and is_told(fault, said)
        record_property("fault", (f"R16 a process of two {fault} in training", ENDS, held))
        assert held, said
    started = command.together(prepared)
    processes.until(lambda: len(steps_of(prepared)) > 0.6 * steps or started.popen.poll() is not None)
    stopped_and_let_go(started, 1)
    assert started.wait() == 0 and same_student(whole, prepared), started.text


@pytest.mark.faults
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_the_other_process_ends_and_the_next_run_goes_on(
    command, whole, prepared, fault, number, record_property
):
    seconds, said = struck(command, prepared, fault, number, 40)
    again = command.together(prepared)
    held = again.wait() == 0 and same_student(whole, prepared) and seconds <= SECONDS + GRACE
    told = is_told(fault, said)
    record_property("fault", (f"R16 a process of two {fault} in training", ENDS, held and told))
    assert held, again.text
    assert told, said


@pytest.mark.faults
@pytest.mark.parametrize("number", [0, 1])
def test_a_slow_process_is_waited_for(command, whole, prepared, number, record_property):
    started = command.together(prepared)
    processes.until(lambda: len(steps_of(prepared)) > 3 or started.popen.poll() is not None)
    stopped_and_let_go(started, number)
    held = started.wait() == 0 and same_student(whole, prepared)
    record_property("fault", ("R16 a process of two is slow", "it is waited for", held))
    assert held, started.text
