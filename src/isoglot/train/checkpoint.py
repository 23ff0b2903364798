"""Checkpoints of a run: safetensors and JSON, published whole, with the sha256 of every file; never a pickle."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.artefact import Manifest, publish, read_json, read_manifest, verify, write_tensors
from isoglot.errors import IsoglotError
from isoglot.train.schedule import Schedule
from isoglot.train.validation import DevScore

if TYPE_CHECKING:
    import torch

_KEEP = 2


@dataclass(frozen=True)
class CurvePoint:
    """The run at one look at the dev split: steps done, seconds trained, mean loss since the last look."""

    step: int
    seconds: float
    loss: float | None
    score: DevScore


@dataclass(frozen=True)
class Progressed:
    """How far a run is; all that resume needs beside the weights.

    Attributes:
        step: optimiser steps done.
        seconds: time trained, over all sessions.
        schedule: fixed at the start of the run.
        curve: looks at the dev split so far; the first is the start, before any step.
        best_step: step of the best look; 0 is the start.
    """

    step: int
    seconds: float
    schedule: Schedule
    curve: tuple[CurvePoint, ...]
    best_step: int

    @property
    def start(self) -> DevScore:
        """The look before any step."""
        return self.curve[0].score

    @property
    def best(self) -> DevScore:
        """The look at `best_step`."""
        return next(point.score for point in self.curve if point.step == self.best_step)


def save(
    folder: Path,
    progressed: Progressed,
    model: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    request: str,
) -> None:
    """Write checkpoint `step-N` under `folder`, keep the best weights as `best`, and drop older checkpoints."""
    weights = model.state_dict()
    target = folder / f"step-{progressed.step:07d}"
    with publish(target, Manifest(kind="checkpoint", inputs={"request": request})) as scratch:
        write_tensors(scratch / "model.safetensors", weights)
        write_tensors(scratch / "optimiser.safetensors", _optimiser_tensors(optimiser))
        (scratch / "progress.json").write_text(json.dumps(dataclasses.asdict(progressed)))
    if progressed.best_step == progressed.step:
        with publish(folder / "best", Manifest(kind="weights", inputs={"request": request})) as scratch:
            write_tensors(scratch / "model.safetensors", weights)
    for old in _checkpoints(folder)[_KEEP:]:
        shutil.rmtree(old)


def newest(folder: Path, request: str) -> tuple[Path, Progressed] | None:
    """Find the newest checkpoint of this request that verifies; damaged ones are passed over.

    Returns:
        Its folder and how far it was, or None when the run has to start at the beginning.
    """
    for candidate in _checkpoints(folder):
        if read_manifest(candidate).inputs.get("request") == request and not verify(candidate):
            return candidate, _progressed(read_json(candidate / "progress.json"))
    return None


def load(checkpoint: Path, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Put a checkpoint's weights and optimiser state in place."""
    from safetensors.torch import load_file

    model.load_state_dict(load_file(checkpoint / "model.safetensors"))
    tensors = load_file(checkpoint / "optimiser.safetensors")
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def load_best(folder: Path, model: torch.nn.Module) -> None:
    """Put the best weights of a run in place.

    Raises:
        IsoglotError: they do not verify.
    """
    from safetensors.torch import load_file

    problems = verify(folder / "best")
    if problems:
        raise IsoglotError(
            f"The best weights of this run are damaged: {problems[0]}.", f"Delete {folder} and run again."
        )
    model.load_state_dict(load_file(folder / "best" / "model.safetensors"))


def _checkpoints(folder: Path) -> list[Path]:
    """All published checkpoints, newest first."""
    return sorted(folder.glob("step-*"), reverse=True)


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    state = optimiser.state_dict()["state"]
    return {f"{number}.{key}": value for number, entry in state.items() for key, value in entry.items()}


def _progressed(raw: dict[str, Any]) -> Progressed:
    curve = tuple(CurvePoint(**{**point, "score": DevScore(**point["score"])}) for point in raw["curve"])
    return Progressed(**{**raw, "schedule": Schedule(**raw["schedule"]), "curve": curve})
