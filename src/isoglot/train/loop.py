"""The training loop: one way through the batches, with a look at the dev split every so often."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoglot.artefact import write_json
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

_PROBE_STEPS = 4
_REWOUND_RATE = 0.5  # factor on the learning rate after each collapse
NOT_FINITE = "not_finite.json"


@dataclass(frozen=True)
class Outcome:
    """How a run ended; the student holds the weights of `progressed.best_step`.

    Attributes:
        progressed: schedule, curve and best step.
        remark: where it was rewound, and what stopped it before its schedule ended; empty when nothing did.
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
    said = [text for text in (collapses(progressed), remark) if text]
    return Outcome(progressed, "; ".join(said))


def _steps(
    run: Run, optimiser: torch.optim.Optimizer, progressed: Progressed, task: Task
) -> tuple[Progressed, str]:
    """Do the steps that are left; return how far it came and why it stopped early, if it did."""
    losses: list[float] = []
    clock = time.monotonic() - progressed.seconds
    for batches in itertools.islice(_all_batches(run), progressed.step, progressed.schedule.steps):
        why = ended(run.config, progressed)
        if why:
            return progressed, why
        factor = progressed.schedule.factor(progressed.step) * _REWOUND_RATE ** len(progressed.rewound)
        loss = _step(run, optimiser, batches, factor, progressed.step)
        if loss is None:
            _dump(run, batches, progressed.step + 1)
            return progressed, (
                f"the loss was not finite at step {progressed.step + 1}, so that step was not taken; its texts are in"
                f" {run.folder / NOT_FINITE}"
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
            score = progressed.curve[-1].score
            task.note(f"dev retrieval {score.retrieval:.1%}, Spearman {score.spearman:.3f}")
            if collapse(score, progressed.start) and len(progressed.rewound) < run.config.rewinds:
                progressed, optimiser = _rewind(run, progressed)
                task.note(f"{collapses(progressed)}")
            checkpoint.save(run.folder, progressed, run.student.model, optimiser, run.request)
    return progressed, ended(run.config, progressed)


def ended(config: TrainConfig, progressed: Progressed) -> str:
    """Say why a run is over before its schedule is, as the last look shows it; empty when it goes on."""
    last = progressed.curve[-1]
    trouble = collapse(last.score, progressed.start)
    if trouble and last.step not in progressed.rewound:
        return f"stopped at step {last.step}: {trouble}"
    waited = sum(point.step > progressed.best_step for point in progressed.curve)
    if config.patience is not None and waited >= config.patience and last.step < progressed.schedule.steps:
        return f"stopped at step {last.step}: {waited} looks in a row were no better than step {progressed.best_step}"
    return ""


def collapses(progressed: Progressed) -> str:
    """Say where the run was rewound and why; empty when it was not."""
    return "; ".join(
        f"at step {point.step} {collapse(point.score, progressed.start)}: back to the best weights so far, at half"
        " the learning rate"
        for point in progressed.curve
        if point.step in progressed.rewound
    )


def _rewind(run: Run, progressed: Progressed) -> tuple[Progressed, torch.optim.Optimizer]:
    """Go back to the best weights with a fresh optimiser; what is left of the schedule is done more slowly."""
    checkpoint.load_best(run.folder, progressed.best_step, run.student.model)
    return replace(progressed, rewound=(*progressed.rewound, progressed.step)), _optimiser(run)


def _step(
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
    loss = torch.stack([_backward(run, batch, float(batch.weights.sum()) / total) for batch in batches]).sum()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, run.config.clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        return None
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()
    return float(loss)


def _backward(run: Run, batch: Batch, share: float) -> torch.Tensor:
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
            round(sum(1 for _ in epoch(run.examples, config, run.seed, 0)) * passes / config.accumulate),
            config.warmup,
            config.evaluations,
        )
    spent = []
    trial = _optimiser(
        run
    )  # whole steps at learning rate 0: they cost what a step costs and change no weight
    for batches in itertools.islice(_all_batches(run), _PROBE_STEPS):
        began = time.monotonic()
        _step(run, trial, batches, 0.0, 0)
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
    better = beats(score, progressed.best, progressed.start) and not collapse(score, progressed.start)
    best_step = progressed.step if better else progressed.best_step
    return replace(progressed, curve=(*progressed.curve, point), best_step=best_step, seconds=point.seconds)


def _all_batches(run: Run) -> Iterator[list[Batch]]:
    """Yield the batches of each step, without end."""
    endless = (
        batch for number in itertools.count() for batch in epoch(run.examples, run.config, run.seed, number)
    )
    while True:
        yield list(itertools.islice(endless, run.config.accumulate))


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


def _dump(run: Run, batches: Sequence[Batch], step: int) -> None:
    """Write down which texts made a step that could not be taken."""
    rows = np.concatenate([batch.rows for batch in batches])
    texts = [run.examples.texts[row] for row in rows]
    write_json(run.folder / NOT_FINITE, {"step": step, "rows": rows.tolist(), "texts": texts})
