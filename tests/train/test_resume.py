"""R4: a run that stops anywhere and goes on ends with the same bits, for every kind of step and student."""

import dataclasses

import pytest
import torch

from isoglot.config import StudentConfig, TrainConfig
from isoglot.encode.encoder import load_encoder
from isoglot.encode.model import Dense
from isoglot.objective.distillation.objective import Distillation
from isoglot.student.kinds import begin
from isoglot.train.loop import Run, train
from small_loop import FLAT, examples_for
from stopping import StoppedError, StopsAt

ROW = (
    "R4 resume mid-epoch, at an epoch's edge, at the last step",
    "the same bits as the uninterrupted run",
)
WHERE = ("mid-epoch", "epoch edge", "last step")
KINDS = ("transformer", "lstm")


@pytest.fixture(scope="module")
def examples(tiny_folder):
    return examples_for(load_encoder(tiny_folder / "student"), load_encoder(tiny_folder / "teacher"))


def make_run(tiny_folder, folder, examples, kind, config):
    chosen = StudentConfig(model="x", kind=kind, **({"lstm_width": 8} if kind == "lstm" else {}))
    student = begin(tiny_folder / "student", chosen, 0, folder)
    torch.manual_seed(0)
    student.model.dense.append(Dense(student.model.feature_width, 24))
    student.model.shape = dataclasses.replace(student.model.shape, normalise=True)
    own = dataclasses.replace(examples, tokens=student.tokenizer(examples.texts))
    objective = Distillation(own, config, seed=3)
    return Run(student, objective, lambda encoder: FLAT, config, seed=3, folder=folder, request="r")


def stop_steps(run, where):
    per_epoch = sum(1 for _ in run.objective.epoch(0)) // run.config.accumulate
    return {"mid-epoch": per_epoch + per_epoch // 2, "epoch edge": per_epoch, "last step": 2 * per_epoch}[
        where
    ]


def resumes(tiny_folder, folder, examples, kind, accumulate, dropout, where):
    """Whether a run that stopped there ends like one that did not."""
    config = TrainConfig(
        epochs=2, batch_tokens=64, learning_rate=1e-3, head_learning_rate=1e-3, evaluations=5,
        accumulate=accumulate, dropout=dropout,
    )  # fmt: skip
    whole = make_run(tiny_folder, folder / "whole", examples, kind, config)
    train(whole)
    stopped = make_run(tiny_folder, folder / "parts", examples, kind, config)
    with pytest.raises(StoppedError):
        train(stopped, StopsAt(stop_steps(stopped, where)))
    resumed = make_run(tiny_folder, folder / "parts", examples, kind, config)
    train(resumed)
    newest = [max(part.glob("step-*")) for part in (folder / "whole", folder / "parts")]
    return all(
        (newest[0] / name).read_bytes() == (newest[1] / name).read_bytes()
        for name in ("model.safetensors", "optimiser.safetensors")
    )


def test_a_stopped_run_resumes_with_the_same_bits(tiny_folder, tmp_path, examples, record_property):
    held = resumes(tiny_folder, tmp_path, examples, "transformer", 2, True, "mid-epoch")
    record_property("fault", (*ROW, held))
    assert held


@pytest.mark.faults
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("dropout", [False, True], ids=["no dropout", "dropout"])
@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_every_combination_resumes_with_the_same_bits(
    tiny_folder, tmp_path, examples, kind, accumulate, dropout, where, record_property
):
    held = resumes(tiny_folder, tmp_path, examples, kind, accumulate, dropout, where)
    record_property("fault", (*ROW, held))
    assert held


def test_dropout_is_drawn_anew_in_every_step(tiny_folder, tmp_path, examples):
    """The seed is a function of the step: two steps on the same rows drop different things, one step twice the same."""
    from isoglot.train.step import backward

    config = TrainConfig(epochs=1, dropout=True, batch_tokens=64)
    run = make_run(tiny_folder, tmp_path, examples, "transformer", config)
    batch = next(iter(run.objective.epoch(0)))
    losses = []
    for number in (0, 1, 0):
        torch.manual_seed(number)
        losses.append(float(backward(run, batch, 1.0)))
    assert losses[0] == losses[2] != losses[1]
