"""What learns beside the student, such as a decoder: it is trained, saved, resumed and rewound with it."""

import dataclasses

import pytest
import torch
from torch import nn

import small_loop
from isoglot.config import TrainConfig
from isoglot.objective.distillation.objective import Distillation
from isoglot.objective.forward import sentence_vectors
from isoglot.train import checkpoint
from isoglot.train.loop import train
from stopping import StoppedError, StopsAt

CONFIG = TrainConfig(
    epochs=2, batch_tokens=128, learning_rate=1e-3, head_learning_rate=1e-3, evaluations=4, accumulate=2
)


@dataclasses.dataclass(frozen=True)
class Reading(Distillation):
    """Distillation through a layer with dropout that is thrown away at the end."""

    parts: nn.ModuleDict = dataclasses.field(kw_only=True)

    @property
    def beside(self):
        return self.parts

    def loss(self, student, batch):
        vectors = sentence_vectors(student, self.examples.tokens, batch.rows, dropout=self.config.dropout)
        targets = torch.from_numpy(self.examples.vectors[self.examples.group[batch.rows]])
        read = nn.functional.dropout(self.beside["reader"](vectors), 0.1)
        return (read - targets).square().mean()


def make_run(tiny_folder, folder, validate=None):
    run = small_loop.make_run(tiny_folder, folder, validate or (lambda encoder: small_loop.FLAT), CONFIG)
    torch.manual_seed(7)
    reader = nn.ModuleDict({"reader": nn.Linear(24, 24)})
    return dataclasses.replace(
        run, objective=Reading(run.objective.examples, run.config, run.seed, parts=reader)
    )


def bits(run):
    return {name: tensor.clone() for name, tensor in run.objective.beside.state_dict().items()}


def test_it_learns_and_is_not_part_of_the_student(tiny_folder, tmp_path):
    rising = iter(
        dataclasses.replace(small_loop.FLAT, retrieval=0.5 + n / 99, spearman=0.5 + n / 99) for n in range(9)
    )
    run = make_run(tiny_folder, tmp_path, lambda encoder: next(rising))
    before = bits(run)
    names = run.student.model.state_dict().keys()
    train(run)
    assert not small_loop.same(before, bits(run))
    assert run.student.model.state_dict().keys() == names == load_names(tmp_path)


def load_names(folder):
    from safetensors.torch import load_file

    return load_file(max(folder.glob("step-*")) / "model.safetensors").keys()


@pytest.mark.parametrize("stop", [3, 8])
def test_it_resumes_with_the_same_bits(tiny_folder, tmp_path, stop):
    train(make_run(tiny_folder, tmp_path / "whole"))
    with pytest.raises(StoppedError):
        train(make_run(tiny_folder, tmp_path / "parts"), StopsAt(stop))
    train(make_run(tiny_folder, tmp_path / "parts"))
    newest = [max(part.glob("step-*")) for part in (tmp_path / "whole", tmp_path / "parts")]
    for name in ("model.safetensors", "optimiser.safetensors", "beside.safetensors"):
        assert (newest[0] / name).read_bytes() == (newest[1] / name).read_bytes(), name


def test_the_best_weights_of_both_are_left(tiny_folder, tmp_path):
    """Nothing beats the start here, so both are as they were."""
    run = make_run(tiny_folder, tmp_path)
    before = bits(run), small_loop.weights(run)
    assert train(run).progressed.best_step == 0
    assert small_loop.same(bits(run), before[0])
    assert small_loop.same(small_loop.weights(run), before[1])


def test_a_checkpoint_without_it_is_passed_over(tiny_folder, tmp_path):
    train(make_run(tiny_folder, tmp_path))
    newest, older = sorted(tmp_path.glob("step-*"), reverse=True)
    (newest / "beside.safetensors").unlink()
    assert checkpoint.newest(tmp_path, "r")[0] == older
