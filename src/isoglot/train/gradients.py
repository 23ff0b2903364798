"""Gradients of several processes added up: each brings those of its own batches, weighted with their shares already.

torch's DistributedDataParallel is not used: it averages where the shares of a step have to be summed, and it wants
one forward pass of one module, where an objective runs the student as often as it likes and a decoder beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from isoglot.train.team import Team

if TYPE_CHECKING:
    from torch import Tensor, nn

_BUCKET = 1 << 23  # numbers sent at once, 32 MB: few enough messages, little memory


def add_gradients(parameters: Sequence[nn.Parameter], team: Team) -> None:
    """Replace every gradient by its sum over the processes; one that no process has stays None.

    Raises:
        IsoglotError: a process is gone.
    """
    import torch

    if team.size == 1:
        return
    device = parameters[0].device
    known = torch.tensor([float(parameter.grad is not None) for parameter in parameters], device=device)
    team.add(known)
    used = [parameter for parameter, count in zip(parameters, known.tolist(), strict=True) if count]
    for bucket in _buckets([_gradient(parameter) for parameter in used]):
        whole = torch.cat([gradient.reshape(-1) for gradient in bucket])
        team.add(whole)
        parts = torch.split(whole, [gradient.numel() for gradient in bucket])
        for gradient, part in zip(bucket, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def clear(parameters: Sequence[nn.Parameter], table: nn.Parameter) -> None:
    """Forget all gradients.

    The gradient of the table of embeddings stays in memory as zeros, which a batch adds its rows to: as large as the
    table and used in every step, it would cost more to allocate than to fill.
    """
    for parameter in parameters:
        if parameter is table and parameter.requires_grad:
            _gradient(parameter).zero_()
        else:
            parameter.grad = None


def _gradient(parameter: nn.Parameter) -> Tensor:
    """Give a parameter's gradient; zeros where only other processes have one."""
    import torch

    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Cut gradients into runs of at most `_BUCKET` numbers; a larger one is alone."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        if bucket and sum(one.numel() for one in bucket) + gradient.numel() > _BUCKET:
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket
