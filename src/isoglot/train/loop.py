"""The training loop: one way through the batches, with a look at the dev split every so often."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoglot.config import TrainConfig
from isoglot.disk import write_atomic
from isoglot.progress import SILENT, Progress, Task
from isoglot.train import checkpoint
from isoglot.train.batches import Batch, epoch
from isoglot.train.checkpoint import CurvePoint, Progressed
from isoglot.train.examples import Examples
from isoglot.train.loss import Objective
from isoglot.train.schedule import Schedule, plan, steps_in
from isoglot.train.validation import Validate, beats, collapse

if TYPE_CHECKING:
    import torch

    from isoglot.encode.encoder import Encoder

_PROBE_BATCHES = 4


@dataclass(frozen=True)
class Outcome:
    """How a run ended; the student holds the weights of `progressed.best_step`.

    Attributes:
        progressed: schedule, curve and best step.
        remark: what stopped the run before its schedule ended; empty when nothing did.
    """

    progressed: Progressed
    remark: str = ""


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


def train(run: Run, progress: Progress = SILENT) -> Outcome:
    """Train to the end of the schedule, resuming from the newest good checkpoint of the same request.

    Leaves the best weights in the student: best by `validation.beats`, where step 0 is the start.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    checkpoint.clean(run.folder, run.request)
    optimiser = _optimiser(run)
    found = checkpoint.newest(run.folder, run.request)
    if found is not None:
        checkpoint.load(found[0], run.student.model, optimiser)
        progressed = found[1]
    else:
        progressed = _begin(run)
        checkpoint.save(run.folder, progressed, run.student.model, optimiser, run.request)
    _cut_log(run.folder, progressed.step)
    with progress.task("training", progressed.schedule.steps, "steps") as task:
        task.advance(progressed.step)
        progressed, remark = _steps(run, optimiser, progressed, task)
    checkpoint.load_best(run.folder, progressed.best_step, run.student.model)
    return Outcome(progressed, remark)


def _steps(
    run: Run, optimiser: torch.optim.Optimizer, progressed: Progressed, task: Task
) -> tuple[Progressed, str]:
    """Do the steps that are left; return how far it came and why it stopped early, if it did."""
    losses: list[float] = []
    clock = time.monotonic() - progressed.seconds
    for batch in itertools.islice(_all_batches(run), progressed.step, progressed.schedule.steps):
        factor = progressed.schedule.factor(progressed.step)
        loss = _step(run, optimiser, batch, factor)
        if loss is None:
            return (
                progressed,
                f"the loss was not finite at step {progressed.step + 1}, so that step was not taken",
            )
        losses.append(loss)
        progressed = replace(progressed, step=progressed.step + 1, seconds=time.monotonic() - clock)
        _log(
            run.folder,
            {"step": progressed.step, "loss": loss, "rate": factor, "seconds": round(progressed.seconds, 3)},
        )
        task.advance()
        if progressed.schedule.evaluates_after(progressed.step):
            progressed = _look(run, progressed, float(np.mean(losses)), clock)
            losses = []
            checkpoint.save(run.folder, progressed, run.student.model, optimiser, run.request)
            score = progressed.curve[-1].score
            task.note(f"dev retrieval {score.retrieval:.1%}, Spearman {score.spearman:.3f}")
            trouble = collapse(score, progressed.start)
            if trouble:
                return progressed, f"stopped at step {progressed.step}: {trouble}"
    return progressed, ""


def _step(run: Run, optimiser: torch.optim.Optimizer, batch: Batch, factor: float) -> float | None:
    """Take one optimiser step; a loss or gradient that is not finite takes none and gives None."""
    import torch

    optimiser.zero_grad(set_to_none=True)
    loss = _backward(run, batch)
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, run.config.clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        return None
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()
    return float(loss)


def _backward(run: Run, batch: Batch) -> torch.Tensor:
    import torch

    from isoglot.encode.precision import autocast

    model = run.student.model.eval()  # targets are fixed, so dropout would only cost time: it stays off
    device = next(model.parameters()).device
    ids, mask = run.examples.tokens.padded(batch.rows)
    targets = torch.from_numpy(run.examples.vectors[run.examples.group[batch.rows]]).to(device)
    with autocast(run.student.precision, device):
        vectors = model(ids.to(device), mask.to(device))
    objective = Objective(run.config.contrast, run.config.cosine, run.prefixes, model.shape.normalise)
    loss = objective.loss(vectors.float(), targets, torch.from_numpy(batch.weights).to(device))
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def _begin(run: Run) -> Progressed:
    """Look at the start, measure the speed of the first batches, and fix the schedule."""
    began = time.monotonic()
    start = run.validate(run.student)
    evaluation_seconds = time.monotonic() - began
    schedule = _schedule(run, evaluation_seconds)
    seconds = time.monotonic() - began
    return Progressed(0, seconds, schedule, (CurvePoint(0, seconds, None, start),), 0)


def _schedule(run: Run, evaluation_seconds: float) -> Schedule:
    config = run.config
    if config.epochs == 0:
        return Schedule(steps=0, warmup=0, evaluate_every=1)
    if config.minutes is None:
        passes = config.epochs if config.epochs is not None else 1.0
        return plan(
            round(sum(1 for _ in epoch(run.examples, config, run.seed, 0)) * passes),
            config.warmup,
            config.evaluations,
        )
    spent = []
    trial = _optimiser(
        run
    )  # whole steps at learning rate 0: they cost what a step costs and change no weight
    for batch in itertools.islice(_all_batches(run), _PROBE_BATCHES):
        began = time.monotonic()
        _step(run, trial, batch, 0.0)
        spent.append(time.monotonic() - began)
    # The first batch pays for memory and code that later ones reuse.
    step_seconds = float(np.mean(spent[1:] or spent))
    left = config.minutes * 60 - evaluation_seconds - sum(spent)
    return plan(
        steps_in(left, step_seconds, evaluation_seconds, config.evaluations),
        config.warmup,
        config.evaluations,
    )


def _look(run: Run, progressed: Progressed, loss: float, clock: float) -> Progressed:
    score = run.validate(run.student)
    point = CurvePoint(progressed.step, time.monotonic() - clock, loss, score)
    best_step = progressed.step if beats(score, progressed.best, progressed.start) else progressed.best_step
    return replace(progressed, curve=(*progressed.curve, point), best_step=best_step, seconds=point.seconds)


def _all_batches(run: Run) -> Iterator[Batch]:
    for number in itertools.count():
        yield from epoch(run.examples, run.config, run.seed, number)


def _optimiser(run: Run) -> torch.optim.Optimizer:
    import torch

    config = run.config
    groups = [
        {"params": list(run.student.model.backbone.parameters()), "peak": config.learning_rate},
        {"params": list(run.student.model.dense.parameters()), "peak": config.head_learning_rate},
    ]
    filled = [group for group in groups if group["params"]]
    return torch.optim.AdamW(filled, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def _cut_log(folder: Path, step: int) -> None:
    """Forget the log of steps after `step`, which are done again, and a line that a power cut left half."""
    path = folder / "log.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith("}\n") and json.loads(line)["step"] <= step]
    write_atomic(path, "".join(whole))


def _log(folder: Path, entry: dict[str, float]) -> None:
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
