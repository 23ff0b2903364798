"""Ctrl-C and SIGTERM in training: the step is done, a checkpoint written, and nothing is done twice."""

import contextlib
import json
import signal
import threading

import pytest

from isoglot.cli.signals import Terminated, signals_as_interrupts
from isoglot.train import checkpoint
from isoglot.train.interrupts import held_back
from isoglot.train.loop import train
from small_loop import make_run, same, weights

SIGNALS = pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)


class Signals:
    """A progress that is sent a signal after so many steps, and again after each that follows; `tasks`: what began."""

    def __init__(self, number, after):
        self.number, self.left, self.tasks, self.notes = number, after, [], []

    @contextlib.contextmanager
    def task(self, label, total, unit):
        self.tasks.append((label, total))
        yield self

    def advance(self, amount=1):
        self.left -= amount
        if self.left <= 0:
            signal.raise_signal(self.number)

    def note(self, text):
        self.notes.append(text)

    def stage(self, name, summary):
        """Nobody reads stages here."""


@pytest.fixture(scope="module")
def whole(tiny_folder, tmp_path_factory):
    run = make_run(tiny_folder, tmp_path_factory.mktemp("whole"))
    return run, train(run)


@SIGNALS
@pytest.mark.parametrize("looks", [0, 1])
def test_an_interrupted_run_goes_on_at_its_last_step_with_the_same_bits(
    tiny_folder, tmp_path, whole, number, raised, looks
):
    reference, outcome = whole
    after = outcome.progressed.schedule.evaluate_every * looks + 2
    assert after % outcome.progressed.schedule.evaluate_every
    report = Signals(number, after)
    with signals_as_interrupts(), pytest.raises(raised):
        train(make_run(tiny_folder, tmp_path), report)
    assert report.notes[-1].startswith("ending after this step")
    found = checkpoint.newest(tmp_path, "r")
    assert found is not None
    assert found[1].step == after
    steps = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in steps] == list(range(1, after + 1))
    again = make_run(tiny_folder, tmp_path)
    report = Signals(number, 10**6)
    resumed = train(again, report)
    total = outcome.progressed.schedule.steps
    assert report.tasks == [(f"training from step {after}", total - after)]
    assert same(weights(again), weights(reference))
    newest = [max(folder.glob("step-*")) for folder in (tmp_path, reference.folder)]
    for name in ("model.safetensors", "optimiser.safetensors"):
        assert (newest[0] / name).read_bytes() == (newest[1] / name).read_bytes()
    losses = [[point.loss for point in one.progressed.curve] for one in (resumed, outcome)]
    assert losses[0] == losses[1]


@SIGNALS
def test_the_second_signal_ends_at_once(number, raised):
    done = []
    with signals_as_interrupts(), pytest.raises(raised), held_back(lambda: None) as held:
        signal.raise_signal(number)
        done.append(held.waits)
        signal.raise_signal(number)
        done.append("never")
    assert done == [True]


@SIGNALS
def test_a_signal_that_nobody_asked_for_comes_at_the_end(number, raised):
    done = []
    with signals_as_interrupts(), pytest.raises(raised), held_back(lambda: None):
        signal.raise_signal(number)
        done.append("all of it")
    assert done == ["all of it"]


def test_afterwards_signals_do_what_they_did():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), held_back(lambda: None):
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError  # what failed is told, rather than that it was also interrupted
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_was_ignored_stays_ignored_and_other_threads_hold_nothing():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with held_back(lambda: None) as held:
            signal.raise_signal(signal.SIGTERM)
            assert not held.waits
    finally:
        signal.signal(signal.SIGTERM, before)
    seen = []

    def work():
        with held_back(lambda: None) as held:
            seen.append(held.waits)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
