"""One step: what each option does to the weights, and in which arithmetic."""

import pytest
import torch

from isoglot.config import TrainConfig
from isoglot.train.step import _seed, new_optimiser, step_batches, take
from small_loop import CONFIG, make_run, weights


def stepped(tiny_folder, folder, **options):
    """A run after one step, and its weights before."""
    run = make_run(tiny_folder, folder, config=TrainConfig(**{**CONFIG.model_dump(), **options}))
    before = weights(run)
    take(run, new_optimiser(run), next(step_batches(run)), 1.0, 0)
    return run, before


def test_each_learning_rate_moves_its_own_part(tiny_folder, tmp_path):
    """The first step of Adam is about as long as the rate, whatever the gradient."""
    run, before = stepped(tiny_folder, tmp_path, learning_rate=1e-3, head_learning_rate=1e-5)
    after = weights(run)
    moved = {name: float((after[name] - before[name]).abs().max()) for name in before}
    backbone = [length for name, length in moved.items() if not name.startswith("dense")]
    dense = [length for name, length in moved.items() if name.startswith("dense")]
    assert max(backbone) == pytest.approx(1e-3, rel=0.1)
    assert max(dense) == pytest.approx(1e-5, rel=0.1)


def test_weight_decay_shrinks_what_is_trained(tiny_folder, tmp_path):
    plain, before = stepped(tiny_folder, tmp_path / "plain", weight_decay=0.0)
    decayed, _ = stepped(tiny_folder, tmp_path / "decayed", weight_decay=5.0)
    first, second = weights(plain), weights(decayed)
    for name, parameter in plain.student.model.named_parameters():
        if parameter.grad is not None:
            shrunk = before[name] * CONFIG.learning_rate * 5.0
            assert torch.allclose(first[name] - second[name], shrunk, atol=1e-6), name


def test_a_gradient_is_cut_to_its_largest_norm_and_left_alone_below(tiny_folder, tmp_path):
    norms = []
    for clip in (1e6, 1e-3):
        run, _ = stepped(tiny_folder, tmp_path / str(clip), clip=clip)
        gradients = [one.grad for one in run.student.model.parameters() if one.grad is not None]
        norms.append(float(torch.nn.utils.get_total_norm(gradients)))
    assert norms[0] > 1e-2
    assert norms[1] == pytest.approx(1e-3, rel=1e-2)


def test_half_precision_computes_and_leaves_whole_weights(tiny_folder, tmp_path):
    losses = []
    for precision in ("fp32", "bf16"):
        run = make_run(tiny_folder, tmp_path / precision)
        run.student.precision = precision
        losses.append(take(run, new_optimiser(run), next(step_batches(run)), 1.0, 0))
        assert {parameter.dtype for parameter in run.student.model.parameters()} == {torch.float32}
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_the_gradient_of_the_embeddings_stays_in_memory_and_is_that_of_the_step_alone(tiny_folder, tmp_path):
    run = make_run(tiny_folder, tmp_path, config=TrainConfig(**{**CONFIG.model_dump(), "clip": 1e6}))
    table = run.student.model.backbone.get_input_embeddings().weight
    optimiser, batches, places = new_optimiser(run), step_batches(run), set()
    kept = None
    for number in range(3):
        step = next(batches)
        assert len(step) == 1
        run.student.model.zero_grad(set_to_none=True)
        torch.manual_seed(_seed(run, number, 0))
        run.objective.loss(run.student, step[0]).backward()
        alone = table.grad.clone()
        table.grad = kept
        take(run, optimiser, step, 0.0, number)
        kept = table.grad
        places.add(kept.data_ptr())
        assert torch.allclose(kept, alone, atol=1e-5 * float(alone.abs().max()))
    assert len(places) == 1
