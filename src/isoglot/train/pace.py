"""How fast a run goes on this machine: measured on its first steps, which change nothing, and laid out from there."""

from __future__ import annotations

import itertools
import time

import numpy as np

from isoglot.train.schedule import Schedule, plan, steps_in
from isoglot.train.step import Run, new_optimiser, step_batches, take

PROBE_STEPS = 4  # of a run of so many minutes


def schedule(run: Run, evaluation_seconds: float) -> Schedule:
    """Fix the schedule of a run that has not begun; with `train.minutes` by the speed of its first steps."""
    config = run.config
    if config.epochs == 0:
        return Schedule(steps=0, warmup=0, evaluate_every=1)
    if config.minutes is None:
        passes = config.epochs if config.epochs is not None else 1.0
        batches = sum(1 for _ in run.objective.epoch(0))
        return plan(round(batches * passes / config.accumulate), config.warmup, config.evaluations)
    step_seconds, spent = measured(run, PROBE_STEPS)
    left = config.minutes * 60 - evaluation_seconds - spent
    return plan(
        steps_in(left, step_seconds, evaluation_seconds, config.evaluations),
        config.warmup,
        config.evaluations,
    )


def measured(run: Run, steps: int) -> tuple[float, float]:
    """Take some steps at learning rate 0: they cost what a step costs and change no weight.

    Returns:
        Mean seconds of a step, and seconds spent.
    """
    spent = []
    trial = new_optimiser(run)
    for batches in itertools.islice(step_batches(run), steps):
        began = time.monotonic()
        take(run, trial, batches, 0.0, 0)
        spent.append(time.monotonic() - began)
    # The first step pays for memory and code that later ones reuse.
    return float(np.mean(spent[1:] or spent)), sum(spent)
