"""The training loop: one way through the batches, with a look at the dev split every so often."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isoglot.artefact import write_json
from isoglot.config import TrainConfig
from isoglot.disk import write_atomic
from isoglot.errors import IsoglotError
from isoglot.progress import SILENT, Progress, Task
from isoglot.train import checkpoint
from isoglot.train.checkpoint import CurvePoint, Progressed
from isoglot.train.pace import schedule
from isoglot.train.step import Run as Run
from isoglot.train.step import new_optimiser, step_batches, take
from isoglot.train.validation import beats, collapse, harmed

if TYPE_CHECKING:
    import torch

_REWOUND_RATE = 0.5  # factor on the learning rate after each collapse
NOT_FINITE = "not_finite.json"
_FULL = re.compile(r"can.t allocate memory|not enough memory|out of memory", re.IGNORECASE)


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
    is the start.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    checkpoint.clean(run.folder, run.request)
    optimiser = new_optimiser(run)
    found = checkpoint.newest(run.folder, run.request)
    for problem in checkpoint.passed_over(run.folder, run.request, None if found is None else found[0]):
        there = "the start" if found is None else found[0].name
        progress.stage("checkpoint", f"damaged and passed over, training goes on from {there}: {problem}")
    if found is not None:
        checkpoint.load(found[0], run.student.model, optimiser, run.objective.beside)
        progressed = found[1]
    else:
        progressed = _begin(run)
        _save(run, progressed, optimiser)
    _cut_log(run.folder, progressed.step)
    with progress.task("training", progressed.schedule.steps, "steps") as task:
        task.advance(progressed.step)
        with _explaining_full_memory(run.config):
            progressed, remark = _steps(run, optimiser, progressed, task)
    checkpoint.load_best(run.folder, progressed.best_step, run.student.model, run.objective.beside)
    said = [text for text in (collapses(progressed), remark) if text]
    return Outcome(progressed, "; ".join(said))


def _steps(
    run: Run, optimiser: torch.optim.Optimizer, progressed: Progressed, task: Task
) -> tuple[Progressed, str]:
    """Do the steps that are left; return how far it came and why it stopped early, if it did."""
    losses: list[float] = []
    clock = time.monotonic() - progressed.seconds
    for batches in itertools.islice(step_batches(run), progressed.step, progressed.schedule.steps):
        why = ended(run.config, progressed)
        if why:
            return progressed, why
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
            _save(run, progressed, optimiser)
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
    checkpoint.load_best(run.folder, progressed.best_step, run.student.model, run.objective.beside)
    return replace(progressed, rewound=(*progressed.rewound, progressed.step)), new_optimiser(run)


def _begin(run: Run) -> Progressed:
    """Look at the start, measure the speed of the first batches, and fix the schedule."""
    began = time.monotonic()
    start = run.validate(run.student)
    evaluation_seconds = time.monotonic() - began
    laid_out = schedule(run, evaluation_seconds)
    seconds = time.monotonic() - began
    return Progressed(0, seconds, laid_out, (CurvePoint(0, seconds, None, start),), 0)


def _look(run: Run, progressed: Progressed, loss: float, clock: float) -> Progressed:
    score = run.validate(run.student)
    point = CurvePoint(progressed.step, time.monotonic() - clock, loss, score)
    start, config = progressed.start, run.config
    worse = harmed(score, start, config.protect, config.protect_margin)
    better = beats(score, progressed.best, start) and not collapse(score, start) and not worse
    best_step = progressed.step if better else progressed.best_step
    return replace(progressed, curve=(*progressed.curve, point), best_step=best_step, seconds=point.seconds)


def _save(run: Run, progressed: Progressed, optimiser: torch.optim.Optimizer) -> None:
    model, beside = run.student.model, run.objective.beside
    checkpoint.save(run.folder, progressed, model, optimiser, run.request, beside)


def _cut_log(folder: Path, step: int) -> None:
    """Forget the log of steps after `step`, which are done again, and a line that a power cut left half."""
    path = folder / "log.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith("}\n") and json.loads(line)["step"] <= step]
    write_atomic(path, "".join(whole))


def _log(folder: Path, entry: dict[str, float]) -> None:
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")


@contextmanager
def _explaining_full_memory(config: TrainConfig) -> Iterator[None]:
    """Turn torch's error of a full memory, on whatever device, into one that says what to do."""
    try:
        yield
    except RuntimeError as error:
        if not _FULL.search(str(error)):
            raise
        raise IsoglotError(
            f"Memory ran out in training: {str(error).splitlines()[0]}.",
            f"Run again with a smaller train.batch_tokens than {config.batch_tokens} (and train.accumulate for it);"
            " a started run must begin anew for that, in another folder.",
        ) from error


def _dump(run: Run, batches: Sequence[Any], step: int) -> None:
    """Write down which texts made a step that could not be taken."""
    rows = [int(row) for batch in batches for row in run.objective.rows(batch)]
    texts = [text for batch in batches for text in run.objective.texts(batch)]
    write_json(run.folder / NOT_FINITE, {"step": step, "rows": rows, "texts": texts})
