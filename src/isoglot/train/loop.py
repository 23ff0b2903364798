"""The training loop: one way through the batches, with a look at the dev split every so often."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from isoglot.artefact import write_json
from isoglot.config import TrainConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.memory import explaining_full_memory
from isoglot.progress import SILENT, Progress, Task
from isoglot.train import checkpoint
from isoglot.train.checkpoint import CurvePoint, Progressed
from isoglot.train.interrupts import Held, held_back
from isoglot.train.log import Log, logged
from isoglot.train.pace import schedule
from isoglot.train.step import Run as Run
from isoglot.train.step import new_optimiser, step_batches, take, visited
from isoglot.train.validation import beats, collapse, harmed

if TYPE_CHECKING:
    import torch

_REWOUND_RATE = 0.5  # factor on the learning rate after each collapse
NOT_FINITE = "not_finite.json"
_ENDING = "ending after this step, with a checkpoint; once more ends it at once"


@dataclass(frozen=True)
class Outcome:
    """How a run ended; the student holds the weights of `progressed.best_step`.

    Attributes:
        progressed: schedule, curve and best step.
        remark: where it was rewound, and what stopped it before its schedule ended; empty when nothing did.
    """

    progressed: Progressed
    remark: str = ""


def train(run: Run, progress: Progress = SILENT) -> Outcome:
    """Train to the end of the schedule, resuming from the newest good checkpoint of the same request.

    Leaves the best weights in the student and in what learned beside it: best by `validation.beats`, where step 0
    is the start. Of several processes the first one looks at the dev split, decides and writes; the others read at
    every look what it wrote, so that all go on from the same weights. Ctrl-C and SIGTERM end it after the step or look
    that they come in, with a checkpoint; the second of them at once.

    Raises:
        RequestError: several processes cannot share the batches of a step.
        IsoglotError: memory ran out, another process is gone, or the best weights are damaged.
    """
    _refuse_uneven(run)
    optimiser = new_optimiser(run)
    progressed = _started(run, optimiser, progress)
    left = progressed.schedule.steps - progressed.step
    label = f"training from step {progressed.step}" if progressed.step else "training"
    with (
        logged(run, progressed.step) as log,
        progress.task(label, left, "steps") as task,
        explaining_full_memory("in training", _smaller(run.config)),
        held_back(lambda: task.note(_ENDING)) as held,
    ):
        progressed, remark = _steps(run, optimiser, progressed, task, log, held)
    checkpoint.load_best(run.folder, progressed.best_step, run.student.model, run.objective.beside)
    said = [text for text in (collapses(progressed), remark) if text]
    return Outcome(progressed, "; ".join(said))


def _refuse_uneven(run: Run) -> None:
    batches, size = run.config.accumulate, run.team.size
    if batches % size:
        raise RequestError(
            f"{size} processes cannot share the {batches} batches of a step evenly.",
            f"Give --set train.accumulate={size * -(-batches // size)}, or another --nproc-per-node.",
        )


def _started(run: Run, optimiser: torch.optim.Optimizer, progress: Progress) -> Progressed:
    """Go on from the newest good checkpoint, or begin."""
    if run.team.first:
        run.folder.mkdir(parents=True, exist_ok=True)
        checkpoint.clean(run.folder, run.request)
    run.team.meet()
    found = checkpoint.newest(run.folder, run.request)
    if run.team.first:
        for problem in checkpoint.passed_over(run.folder, run.request, None if found is None else found[0]):
            there = "the start" if found is None else found[0].name
            progress.stage("checkpoint", f"damaged and passed over, training goes on from {there}: {problem}")
    if found is None:
        return _begin(run, optimiser)
    checkpoint.load(found[0], run.student.model, optimiser, run.objective.beside)
    return found[1]


def _lead(run: Run, progressed: Progressed, optimiser: torch.optim.Optimizer) -> Progressed:
    """Write a checkpoint, from which the other processes go on."""
    model, beside = run.student.model, run.objective.beside
    checkpoint.save(run.folder, progressed, model, optimiser, run.request, beside)
    run.team.meet()
    return progressed


def _follow(run: Run, optimiser: torch.optim.Optimizer) -> Progressed:
    """Go on from the checkpoint that the first process writes: from its weights and what it decided."""
    run.team.meet()
    found = checkpoint.newest(run.folder, run.request)
    if found is None:
        raise IsoglotError(
            f"Process {run.team.number} finds no checkpoint of this run in {run.folder}.",
            "All processes need the same --out, on a file system that they share.",
        )
    checkpoint.load(found[0], run.student.model, optimiser, run.objective.beside)
    return found[1]


def _steps(
    run: Run, optimiser: torch.optim.Optimizer, progressed: Progressed, task: Task, log: Log, held: Held
) -> tuple[Progressed, str]:
    """Do the steps that are left; return how far it came and why it stopped early, if it did."""
    losses = list(progressed.losses)
    clock = time.monotonic() - progressed.seconds
    for batches in itertools.islice(step_batches(run), progressed.step, progressed.schedule.steps):
        why = ended(run.config, progressed)
        if why:
            return progressed, why
        if held.waits:
            _keep(run, replace(progressed, losses=tuple(losses)), optimiser)
            held.let_go()
        factor = progressed.schedule.factor(progressed.step) * _REWOUND_RATE ** len(progressed.rewound)
        loss = take(run, optimiser, batches, factor, progressed.step)
        if loss is None:
            _dump(run, batches, progressed.step + 1)
            return progressed, (
                f"the loss was not finite at step {progressed.step + 1}, so that step was not taken; its texts are in"
                f" {run.folder / NOT_FINITE}"
            )
        losses.append(loss)
        progressed = replace(progressed, step=progressed.step + 1, seconds=time.monotonic() - clock)
        log.step({
            "step": progressed.step, "loss": loss, "rate": factor, "seconds": round(progressed.seconds, 3),
            "tokens": sum(run.objective.tokens(batch) for batch in batches), "rows": visited(run, batches),
        })  # fmt: skip
        task.advance()
        if progressed.schedule.evaluates_after(progressed.step):
            if run.team.first:
                progressed = _look(run, progressed, float(np.mean(losses)), clock)
                log.look(progressed.curve[-1])
                progressed, optimiser = _unless_collapsed(run, progressed, optimiser, task)
                _lead(run, progressed, optimiser)
            else:
                progressed = _follow(run, optimiser)
            losses = []
    return progressed, ended(run.config, progressed)


def _keep(run: Run, progressed: Progressed, optimiser: torch.optim.Optimizer) -> None:
    """Write a checkpoint between two looks, in the first process."""
    if run.team.first and progressed.step > progressed.curve[-1].step:
        checkpoint.save(
            run.folder, progressed, run.student.model, optimiser, run.request, run.objective.beside
        )


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


def _unless_collapsed(
    run: Run, progressed: Progressed, optimiser: torch.optim.Optimizer, task: Task
) -> tuple[Progressed, torch.optim.Optimizer]:
    """Go back to the best weights when the last look shows a collapse, if that is still allowed."""
    score = progressed.curve[-1].score
    task.note(str(score))
    if collapse(score, progressed.start) and len(progressed.rewound) < run.config.rewinds:
        progressed, optimiser = _rewind(run, progressed)
        task.note(f"{collapses(progressed)}")
    return progressed, optimiser


def _rewind(run: Run, progressed: Progressed) -> tuple[Progressed, torch.optim.Optimizer]:
    """Go back to the best weights with a fresh optimiser; what is left of the schedule is done more slowly."""
    checkpoint.load_best(run.folder, progressed.best_step, run.student.model, run.objective.beside)
    return replace(progressed, rewound=(*progressed.rewound, progressed.step)), new_optimiser(run)


def _begin(run: Run, optimiser: torch.optim.Optimizer) -> Progressed:
    """Look at the start, measure the speed of the first batches, and fix the schedule."""
    began = time.monotonic()
    start = run.validate(run.student) if run.team.first else None
    evaluation_seconds = time.monotonic() - began
    run.team.meet()
    laid_out = schedule(run, evaluation_seconds)
    if start is None:
        return _follow(run, optimiser)
    seconds = time.monotonic() - began
    begun = Progressed(0, seconds, laid_out, (CurvePoint(0, seconds, None, start),), 0)
    return _lead(run, begun, optimiser)


def _look(run: Run, progressed: Progressed, loss: float, clock: float) -> Progressed:
    score = run.validate(run.student)
    point = CurvePoint(progressed.step, time.monotonic() - clock, loss, score)
    start, config = progressed.start, run.config
    worse = harmed(score, start, config.protect, config.protect_margin)
    better = beats(score, progressed.best, start) and not collapse(score, start) and not worse
    best_step = progressed.step if better else progressed.best_step
    curve = (*progressed.curve, point)
    return replace(progressed, curve=curve, best_step=best_step, seconds=point.seconds, losses=())


def _smaller(config: TrainConfig) -> str:
    name = "batch_tokens" if config.batch_sentences is None else "batch_sentences"
    return (
        f"Run again with a smaller train.{name} than {getattr(config, name)} (and train.accumulate for it);"
        " a started run must begin anew for that, in another folder."
    )


def _dump(run: Run, batches: Sequence[Any], step: int) -> None:
    """Write down which texts made a step that could not be taken."""
    if not run.team.first:
        return
    rows = [int(row) for batch in batches for row in run.objective.rows(batch)]
    texts = [text for batch in batches for text in run.objective.texts(batch)]
    write_json(run.folder / NOT_FINITE, {"step": step, "rows": rows, "texts": texts})
