"""How many steps, and how fast to learn in each; fixed once and stored, so that a resumed run does the same steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Linear rise, then linear fall to zero.

    Attributes:
        steps: total optimiser steps.
        warmup: steps of the rise.
        evaluate_every: steps between looks at the dev split.
    """

    steps: int
    warmup: int
    evaluate_every: int

    def factor(self, step: int) -> float:
        """Learning rate of step 0..steps-1 relative to its peak, in (0, 1]."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return max(1, self.steps - step) / max(1, self.steps - self.warmup)

    def evaluates_after(self, done: int) -> bool:
        """Tell whether the dev split is scored once `done` steps are done."""
        return done == self.steps or done % self.evaluate_every == 0


def plan(steps: int, warmup: float, evaluations: int) -> Schedule:
    """Lay out a run of `steps` steps with evenly spaced evaluations.

    Args:
        steps: of the optimiser.
        warmup: steps of the rise, a share of all where it is below 1; a run that is shorter never gets to its peak.
        evaluations: looks at the dev split.
    """
    total = max(1, steps)
    rise = int(total * warmup) if warmup < 1 else int(warmup)
    return Schedule(total, rise, max(1, -(-total // evaluations)))


def steps_in(seconds: float, step_seconds: float, evaluation_seconds: float, evaluations: int) -> int:
    """Steps that fit into a time budget beside the evaluations, at the measured speed; at least 1."""
    return max(1, int((seconds - evaluations * evaluation_seconds) / step_seconds))
