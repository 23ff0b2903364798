"""Several processes train one student as one would: R5, and what each of them does."""

import dataclasses
import json

import numpy as np
import pytest
import torch

import processes
import team_loop
from isoglot.config import TrainConfig
from isoglot.errors import RequestError
from isoglot.train import checkpoint, gradients
from isoglot.train.loop import train
from isoglot.train.step import backward, visited
from isoglot.train.team import ALONE, Team, is_first, joined, size_of_team
from small_loop import make_run

ROW = (
    "R5 two processes, then one, then two, at the same global batch",
    "the same batches; every loss within 1e-6",
)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_batches_of_a_step_are_shared_out_without_rest_or_repeat(size):
    batches = list(range(12))
    shares = [Team(number, size).own(batches) for number in range(size)]
    assert sorted(batch for share in shares for batch in share) == batches
    assert {len(share) for share in shares} == {12 // size}


def test_batches_that_cannot_be_shared_are_refused(tiny_folder, tmp_path):
    config = TrainConfig(epochs=1, accumulate=3)
    run = make_run(tiny_folder, tmp_path, config=config)
    with pytest.raises(RequestError, match="2 processes cannot share the 3 batches") as refused:
        train(dataclasses.replace(run, team=Team(0, 2)))
    assert "train.accumulate=4" in str(refused.value)


def test_without_torchrun_a_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "1")  # of something else
    assert size_of_team() == 1
    assert is_first()
    with joined(1.0) as team:
        assert team is ALONE


def test_the_digest_of_a_step_names_its_rows_in_their_order(tiny_folder, tmp_path):
    run = make_run(tiny_folder, tmp_path)
    batches = list(run.objective.epoch(0))[:3]
    assert visited(run, batches) == visited(run, batches)
    assert visited(run, batches) != visited(run, batches[::-1])
    assert visited(run, batches) != visited(run, batches[:2])


def test_gradients_are_sent_in_pieces_that_hold_them_all(monkeypatch):
    monkeypatch.setattr(gradients, "_BUCKET", 10)
    tensors = [torch.zeros(size) for size in (3, 4, 3, 1, 40, 2)]
    pieces = list(gradients._buckets(tensors))
    assert [[one.numel() for one in piece] for piece in pieces] == [[3, 4, 3], [1], [40], [2]]


def test_a_part_without_a_gradient_keeps_none_when_alone(tiny_folder, tmp_path):
    """AdamW would shrink by weight decay what nothing pulls at."""
    run = make_run(tiny_folder, tmp_path)
    parameters = list(run.student.model.parameters())
    run.student.model.zero_grad(set_to_none=True)
    backward(run, next(iter(run.objective.epoch(0))), 1.0)
    idle = [parameter.grad is None for parameter in parameters]
    gradients.add_gradients(parameters, ALONE)
    assert [parameter.grad is None for parameter in parameters] == idle


def steps_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """Every case once alone from start to end, and once stopped twice, with two, one and two processes."""
    folder = tmp_path_factory.mktemp("team")
    team_loop.train_all(tiny_folder, folder / "whole")
    arguments = [str(tiny_folder), str(folder / "parts")]
    for stop in ("3", ""):
        started = processes.Torchrun(2, "team_loop", [*arguments, *stop], folder / "torchrun.log")
        assert started.wait() == 0, started.text
        if stop:
            team_loop.train_all(tiny_folder, folder / "parts", 3)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "accumulate"), team_loop.CASES)
def test_two_processes_then_one_then_two_see_and_learn_the_same(runs, kind, accumulate, record_property):
    name = team_loop.name_of(kind, accumulate)
    whole, parts = steps_of(runs / "whole" / name), steps_of(runs / "parts" / name)
    same_rows = [step["rows"] for step in whole] == [step["rows"] for step in parts]
    apart = max(abs(a["loss"] - b["loss"]) for a, b in zip(whole, parts, strict=True))
    vectors = [np.load(runs / part / name / "vectors.npy") for part in ("whole", "parts")]
    distance = float(np.abs(vectors[0] - vectors[1]).max())
    held = same_rows and apart < 1e-6 and distance < 1e-4 and len(whole) > 6
    record_property("fault", (*ROW, held))
    assert held, (same_rows, apart, distance, len(whole))


@pytest.mark.slow
def test_the_stops_were_where_they_should_be(runs):
    """Otherwise the test above would compare a run with itself."""
    name = team_loop.name_of("transformer", 4)
    done = len(steps_of(runs / "whole" / name))
    found = checkpoint.newest(runs / "parts" / name, "r")
    assert found is not None
    assert found[1].step == done > 6


def test_a_recipe_without_a_teacher_is_refused_under_torchrun(monkeypatch, tmp_path):
    from isoglot.pipeline.recipe_run import run_recipe
    from isoglot.recipe import load_recipe

    recipe = load_recipe("random", [])
    for name, value in (
        ("RANK", "0"),
        ("WORLD_SIZE", "2"),
        ("MASTER_ADDR", "127.0.0.1"),
        ("MASTER_PORT", "1"),
    ):
        monkeypatch.setenv(name, value)
    with pytest.raises(RequestError, match="Only distillation"):
        run_recipe(recipe, tmp_path)
