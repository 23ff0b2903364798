"""One optimiser step: which batches it takes, their loss and gradient, and the change of the weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from isoglot.config import TrainConfig
from isoglot.train.batches import Batch, epoch
from isoglot.train.examples import Examples
from isoglot.train.loss import Objective
from isoglot.train.validation import Validate

if TYPE_CHECKING:
    import torch

    from isoglot.encode.encoder import Encoder


@dataclass(frozen=True)
class Run:
    """What stays the same from the first step to the last.

    Attributes:
        student: the encoder to train; its vocabulary may be cut to the texts in use.
        examples: texts and their teacher vectors, ids as the student now counts them.
        validate: scores the student on the dev split.
        config: options.
        seed: of order, draws and dropout.
        folder: checkpoints and log.
        request: digest of everything that shapes the run; a checkpoint of another request is not resumed.
        prefixes: widths at which the front of a vector is a vector on its own; empty: the whole alone.
    """

    student: Encoder
    examples: Examples
    validate: Validate
    config: TrainConfig
    seed: int
    folder: Path
    request: str
    prefixes: tuple[int, ...] = ()


def take(
    run: Run, optimiser: torch.optim.Optimizer, batches: Sequence[Batch], factor: float, number: int
) -> float | None:
    """Take one optimiser step; a loss or gradient that is not finite takes none and gives None."""
    import torch

    optimiser.zero_grad(set_to_none=True)
    if run.config.dropout:
        torch.manual_seed(
            run.seed * 1_000_003 + number
        )  # a function of the step, so that a resumed run drops the same
    total = sum(float(batch.weights.sum()) for batch in batches)
    loss = torch.stack([backward(run, batch, float(batch.weights.sum()) / total) for batch in batches]).sum()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, run.config.clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        return None
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()
    return float(loss)


def backward(run: Run, batch: Batch, share: float) -> torch.Tensor:
    """Add the gradient of a batch, weighted with its share of the step; give its part of the loss."""
    import torch

    from isoglot.encode.precision import autocast

    model = run.student.model.train(run.config.dropout)
    device = next(model.parameters()).device
    ids, mask = run.examples.tokens.padded(batch.rows)
    targets = torch.from_numpy(run.examples.vectors[run.examples.group[batch.rows]]).to(device)
    with autocast(run.student.precision, device):
        vectors = model(ids.to(device), mask.to(device))
    objective = Objective(run.config.contrast, run.config.cosine, run.prefixes, model.shape.normalise)
    loss = objective.loss(vectors.float(), targets, torch.from_numpy(batch.weights).to(device)) * share
    loss.backward()  # type: ignore[no-untyped-call]
    model.eval()
    return loss.detach()


def step_batches(run: Run) -> Iterator[list[Batch]]:
    """Yield the batches of each step, without end."""
    endless = (
        batch for number in itertools.count() for batch in epoch(run.examples, run.config, run.seed, number)
    )
    while True:
        yield list(itertools.islice(endless, run.config.accumulate))


def new_optimiser(run: Run) -> torch.optim.Optimizer:
    """Make AdamW over backbone and Dense layers, each with its own peak of the learning rate."""
    import torch

    config = run.config
    groups = [
        {"params": list(run.student.model.backbone.parameters()), "peak": config.learning_rate},
        {"params": list(run.student.model.dense.parameters()), "peak": config.head_learning_rate},
    ]
    filled = [group for group in groups if group["params"]]
    return torch.optim.AdamW(filled, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
