"""Checkpoints of a run: safetensors and JSON, published whole, with the sha256 of every file; never a pickle.

step-N    weights, optimiser state and progress after N steps; the newest two are kept
best-N    weights after N steps, where the dev split scored best; written before the first checkpoint that names
them and kept as long as one does, so a kill at any moment leaves no checkpoint without its best
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.artefact import (
    Manifest,
    discard,
    discard_leftovers,
    publish,
    read_json,
    read_manifest,
    verify,
)
from isoglot.encode.tensors import write_tensors
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.train.schedule import Schedule
from isoglot.train.validation import DevScore

if TYPE_CHECKING:
    import torch

_KEEP = 2
_BESIDE = "beside.safetensors"


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
        rewound: steps at which the student had collapsed and its best weights were put back.
        losses: of the steps since the last look.
    """

    step: int
    seconds: float
    schedule: Schedule
    curve: tuple[CurvePoint, ...]
    best_step: int
    rewound: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()

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
    beside: torch.nn.Module | None = None,
) -> None:
    """Write checkpoint `step-N` under `folder`, before it the best weights if these are, and drop older ones.

    Args:
        folder: of the run's checkpoints.
        progressed: how far it is.
        model: the student's network.
        optimiser: its state.
        request: digest of all that shapes the run.
        beside: what learns with the student; None or empty: nothing.
    """
    inputs = {"request": request}
    if progressed.best_step == progressed.step:
        with publish(_best(folder, progressed.step), Manifest("weights", inputs)) as scratch:
            _write_weights(scratch, model, beside)
    manifest = Manifest("checkpoint", inputs, {"best_step": progressed.best_step})
    with publish(folder / f"step-{progressed.step:07d}", manifest) as scratch:
        _write_weights(scratch, model, beside)
        write_tensors(scratch / "optimiser.safetensors", _optimiser_tensors(optimiser))
        (scratch / "progress.json").write_text(json.dumps(dataclasses.asdict(progressed)))
    _drop_old(folder, request)


def newest(folder: Path, request: str) -> tuple[Path, Progressed] | None:
    """Find the newest checkpoint of this request that verifies; damaged ones are passed over.

    Returns:
        Its folder and how far it was, or None when the run has to start at the beginning.
    """
    for candidate in _folders(folder, "step-*"):
        if _is_whole(candidate, request):
            progressed = _progressed(read_json(candidate / "progress.json"))
            if _is_whole(_best(folder, progressed.best_step), request):
                return candidate, progressed
    return None


def passed_over(folder: Path, request: str, found: Path | None) -> list[str]:
    """Say which checkpoints of this request, or with no readable request, are newer than `found` and damaged."""
    said = []
    for candidate in _folders(folder, "step-*"):
        if candidate == found:
            break
        problems = _problems(candidate)
        manifest = None if problems else _manifest(candidate, request)
        if manifest is not None:
            problems = _problems(_best(folder, manifest.config["best_step"]))
        said += problems[:1]
    return said


def _problems(folder: Path) -> list[str]:
    """What is damaged in a published folder, its manifest included."""
    try:
        return verify(folder)
    except (DamagedError, RequestError) as error:
        return [str(error)]


def load(
    checkpoint: Path,
    model: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    beside: torch.nn.Module | None = None,
) -> None:
    """Put a checkpoint's weights and optimiser state in place."""
    from safetensors.torch import load_file

    _read_weights(checkpoint, model, beside)
    tensors = load_file(checkpoint / "optimiser.safetensors")
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def load_best(folder: Path, step: int, model: torch.nn.Module, beside: torch.nn.Module | None = None) -> None:
    """Put the best weights of a run, those of `step`, in place.

    Raises:
        IsoglotError: they do not verify.
    """
    best = _best(folder, step)
    problems = verify(best)
    if problems:
        raise IsoglotError(
            f"The best weights of this run are damaged: {problems[0]}.", f"Delete {folder} and run again."
        )
    _read_weights(best, model, beside)


def _write_weights(scratch: Path, model: torch.nn.Module, beside: torch.nn.Module | None) -> None:
    write_tensors(scratch / "model.safetensors", model.state_dict())
    more = {} if beside is None else beside.state_dict()
    if more:
        write_tensors(scratch / _BESIDE, more)


def _read_weights(folder: Path, model: torch.nn.Module, beside: torch.nn.Module | None) -> None:
    from safetensors.torch import load_file

    model.load_state_dict(load_file(folder / "model.safetensors"))
    if beside is not None and beside.state_dict():
        beside.load_state_dict(load_file(folder / _BESIDE))


def clean(folder: Path, request: str) -> None:
    """Remove what a process that was killed while it wrote or dropped a checkpoint left in `folder`."""
    for hidden in [*folder.glob(".step-*"), *folder.glob(".best-*")]:
        discard_leftovers(folder / hidden.stem[1:])
    _drop_old(folder, request)


def _best(folder: Path, step: int) -> Path:
    return folder / f"best-{step:07d}"


def _folders(folder: Path, pattern: str) -> list[Path]:
    """All published folders of a kind, newest first."""
    return sorted(folder.glob(pattern), reverse=True)


def _manifest(folder: Path, request: str) -> Manifest | None:
    """Read the manifest of a checkpoint of this request; None when it is of another or is damaged."""
    try:
        manifest = read_manifest(folder)
    except (DamagedError, RequestError):
        return None
    return manifest if manifest.inputs.get("request") == request else None


def _is_whole(folder: Path, request: str) -> bool:
    return _manifest(folder, request) is not None and not verify(folder)


def _drop_old(folder: Path, request: str) -> None:
    """Keep the newest checkpoints of this request and the best weights that they name; the rest goes."""
    own = [(path, _manifest(path, request)) for path in _folders(folder, "step-*")]
    newest_own = [(path, manifest) for path, manifest in own if manifest is not None][:_KEEP]
    kept = {path for path, _ in newest_own}
    kept |= {_best(folder, manifest.config["best_step"]) for _, manifest in newest_own}
    for old in [*_folders(folder, "step-*"), *_folders(folder, "best*")]:
        if old not in kept:
            discard(old)


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    state = optimiser.state_dict()["state"]
    return {f"{number}.{key}": value for number, entry in state.items() for key, value in entry.items()}


def _progressed(raw: dict[str, Any]) -> Progressed:
    curve = tuple(CurvePoint(**{**point, "score": DevScore(**point["score"])}) for point in raw["curve"])
    lists: dict[str, Any] = {name: tuple(raw[name]) for name in ("rewound", "losses") if name in raw}
    schedule = Schedule(**raw["schedule"])
    return Progressed(**{**raw, **lists, "schedule": schedule, "curve": curve})
