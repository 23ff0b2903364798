"""One optimiser step: which batches it takes, their loss and gradient, and the change of the weights."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.config import TrainConfig
from isoglot.objective.protocol import Objective
from isoglot.train.gradients import add_gradients, clear
from isoglot.train.team import ALONE, Team
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
        team: the processes that train it together, each its share of the batches of every step.
    """

    student: Encoder
    objective: Objective[Any]
    validate: Validate
    config: TrainConfig
    seed: int
    folder: Path
    request: str
    team: Team = ALONE


def take(
    run: Run, optimiser: torch.optim.Optimizer, batches: Sequence[Any], factor: float, number: int
) -> float | None:
    """Take one optimiser step; a loss or gradient that is not finite takes none and gives None.

    Args:
        run: what is trained; each process of its team runs its own batches, and all take the same step.
        optimiser: of `new_optimiser`.
        batches: all of the step.
        factor: on the peak of the learning rate.
        number: steps done before.

    Returns:
        The loss of the step, the mean over its batches by their weights.

    Raises:
        IsoglotError: another process of the team is gone.
    """
    import torch

    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    clear(parameters, run.student.model.backbone.get_input_embeddings().weight)  # type: ignore[operator]
    weights = [run.objective.weight(batch) for batch in batches]
    losses = torch.zeros(len(batches), device=parameters[0].device)
    for place in run.team.own(range(len(batches))):
        torch.manual_seed(_seed(run, number, place))
        losses[place] = backward(run, batches[place], weights[place] / sum(weights))
    run.team.add(losses)
    add_gradients(parameters, run.team)
    loss = losses.sum()
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        return None
    if norm > run.config.clip:  # else scaling by 1 would be one more pass over all gradients
        torch.nn.utils.clip_grads_with_norm_(parameters, run.config.clip, norm)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()
    return float(loss)


def backward(run: Run, batch: Any, share: float) -> torch.Tensor:  # noqa: ANN401  the objective's own
    """Add the gradient of a batch, weighted with its share of the step; give its part of the loss."""
    loss = run.objective.loss(run.student, batch) * share
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def _seed(run: Run, step: int, place: int) -> int:
    """Give the seed of a batch: the same in a resumed run, and whichever process runs it."""
    return run.seed * 1_000_003 + step + (place << 40)


def visited(run: Run, batches: Sequence[Any]) -> str:
    """Digest of the rows of a step in their order, each process naming those that it ran: 16 hexadecimal digits.

    Raises:
        IsoglotError: another process of the team is gone.
    """
    import torch

    named = torch.zeros(len(batches), dtype=torch.int64)
    for place in run.team.own(range(len(batches))):
        digest = hashlib.sha256(run.objective.rows(batches[place]).tobytes()).digest()
        named[place] = int.from_bytes(digest[:7])
    run.team.add(named)
    return hashlib.sha256(named.numpy().tobytes()).hexdigest()[:16]


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
