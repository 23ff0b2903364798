"""One optimiser step: which batches it takes, their loss and gradient, and the change of the weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.config import TrainConfig
from isoglot.objective.protocol import Objective
from isoglot.train.validation import Validate

if TYPE_CHECKING:
    import torch

    from isoglot.encode.encoder import Encoder


@dataclass(frozen=True)
class Run:
    """What stays the same from the first step to the last.

    Attributes:
        student: the encoder to train; its vocabulary may be cut to the texts in use.
        objective: what it is trained for, ids as the student now counts them.
        validate: scores the student on the dev split.
        config: options.
        seed: of dropout and whatever else is drawn within a step.
        folder: checkpoints and log.
        request: digest of everything that shapes the run; a checkpoint of another request is not resumed.
    """

    student: Encoder
    objective: Objective[Any]
    validate: Validate
    config: TrainConfig
    seed: int
    folder: Path
    request: str


def take(
    run: Run, optimiser: torch.optim.Optimizer, batches: Sequence[Any], factor: float, number: int
) -> float | None:
    """Take one optimiser step; a loss or gradient that is not finite takes none and gives None."""
    import torch

    optimiser.zero_grad(set_to_none=True)
    torch.manual_seed(run.seed * 1_000_003 + number)  # of the step, so that a resumed run drops the same
    weights = [run.objective.weight(batch) for batch in batches]
    shares = [weight / sum(weights) for weight in weights]
    loss = torch.stack(
        [backward(run, batch, share) for batch, share in zip(batches, shares, strict=True)]
    ).sum()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, run.config.clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        return None
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()
    return float(loss)


def backward(run: Run, batch: Any, share: float) -> torch.Tensor:  # noqa: ANN401  the objective's own
    """Add the gradient of a batch, weighted with its share of the step; give its part of the loss."""
    loss = run.objective.loss(run.student, batch) * share
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def step_batches(run: Run) -> Iterator[list[Any]]:
    """Yield the batches of each step, without end."""
    endless = (batch for number in itertools.count() for batch in run.objective.epoch(number))
    while True:
        yield list(itertools.islice(endless, run.config.accumulate))


def new_optimiser(run: Run) -> torch.optim.Optimizer:
    """Make AdamW over backbone, Dense layers and what learns beside them, moved to their device; each has its peak."""
    import torch

    config, model = run.config, run.student.model
    run.objective.beside.to(next(model.parameters()).device)
    groups = [
        {"params": list(model.backbone.parameters()), "peak": config.learning_rate},
        {"params": list(model.dense.parameters()), "peak": config.head_learning_rate},
        {"params": list(run.objective.beside.parameters()), "peak": config.head_learning_rate},
    ]
    filled = [group for group in groups if group["params"]]
    return torch.optim.AdamW(filled, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
