"""Checkpoints: what is kept, what is passed over, what a killed process leaves behind."""

import dataclasses
import json

import pytest
import torch

from isoglot.train import checkpoint
from isoglot.train.checkpoint import CurvePoint, Progressed
from isoglot.train.log import cut
from isoglot.train.schedule import Schedule
from isoglot.train.validation import DevScore

SCORE = DevScore(0.5, 0.5, 0.1, "de", 0.4, 20.0, 0.1)
START = Progressed(0, 0.0, Schedule(90, 0, 10), (CurvePoint(0, 0.0, None, SCORE),), 0)


def save(folder, step, best_step, request="r"):
    """Write a checkpoint whose only weight is its step."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, step)
    progressed = dataclasses.replace(START, step=step, best_step=best_step)
    checkpoint.save(folder, progressed, model, torch.optim.AdamW(model.parameters()), request)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def best_weight(folder, step):
    model = torch.nn.Linear(1, 1, bias=False)
    checkpoint.load_best(folder, step, model)
    return model.weight.item()


def test_the_newest_two_and_the_best_that_they_name_are_kept(tmp_path):
    for step, best_step in ((0, 0), (10, 10), (20, 10), (30, 10)):
        save(tmp_path, step, best_step)
    assert names(tmp_path) == ["best-0000010", "step-0000020", "step-0000030"]
    assert best_weight(tmp_path, 10) == 10


def test_an_older_checkpoint_finds_its_own_best_weights(tmp_path):
    """A run that fell back must not ship weights that it has not reached."""
    for step in (0, 10, 20):
        save(tmp_path, step, step)
    (tmp_path / "step-0000020" / "model.safetensors").write_bytes(b"damaged")
    found, progressed = checkpoint.newest(tmp_path, "r")
    assert found.name == "step-0000010"
    assert best_weight(tmp_path, progressed.best_step) == 10


def test_a_checkpoint_without_its_best_weights_is_passed_over(tmp_path):
    save(tmp_path, 0, 0)
    save(tmp_path, 10, 10)
    (tmp_path / "best-0000010" / "model.safetensors").unlink()
    assert checkpoint.newest(tmp_path, "r")[0].name == "step-0000000"


@pytest.mark.parametrize("content", [None, "", "{}", '{"format_version": 1}'])
def test_a_checkpoint_with_a_damaged_manifest_is_passed_over(tmp_path, content):
    save(tmp_path, 0, 0)
    save(tmp_path, 10, 0)
    manifest = tmp_path / "step-0000010" / "manifest.json"
    manifest.unlink() if content is None else manifest.write_text(content)
    assert checkpoint.newest(tmp_path, "r")[0].name == "step-0000000"


def test_checkpoints_of_another_request_do_not_push_out_the_new_ones(tmp_path):
    save(tmp_path, 70, 70, request="before")
    save(tmp_path, 80, 80, request="before")
    save(tmp_path, 0, 0)
    assert checkpoint.newest(tmp_path, "r")[0].name == "step-0000000"
    assert names(tmp_path) == ["best-0000000", "step-0000000"]


def test_leftovers_of_a_killed_process_go(tmp_path):
    save(tmp_path, 0, 0)
    for left in (".step-0000010.partial", ".best-0000010.partial", ".step-0000000.old", "best-0000005"):
        (tmp_path / left).mkdir()
    checkpoint.clean(tmp_path, "r")
    assert names(tmp_path) == ["best-0000000", "step-0000000"]


def test_the_log_is_cut_back_to_the_step_that_goes_on(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"step": step}) + "\n" for step in (1, 2, 3)) + '{"step": 4, "lo')
    cut(tmp_path, 2)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2]
    cut(tmp_path, 7)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2]
