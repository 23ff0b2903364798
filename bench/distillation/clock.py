"""The training clock of an arm, and the snapshots that are taken by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from distillation.judge import Encode, Judge
from isoglot.artefact import write_json


class Plan(NamedTuple):
    """When an arm is looked at, and when it is over.

    Attributes:
        minutes: longest training.
        least_minutes: shortest, for a steady speed, even where the goal is reached at once.
        at: minutes of the snapshots.
        goal: macro accuracy on Tatoeba at which an arm is over, 0..1.
    """

    minutes: float
    least_minutes: float
    at: tuple[float, ...]
    goal: float


class Clock:
    """Seconds of an arm's own work; the bench's looks are left out. `before`: work done by another program."""

    def __init__(self, before: float = 0.0) -> None:
        self._began = time.monotonic() - before

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._began

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let what happens inside take no time."""
        since = time.monotonic()
        try:
            yield
        finally:
            self._began += time.monotonic() - since


class Record:
    """What an arm measures, written to its file after every snapshot.

    Args:
        path: the file.
        options: what the arm was asked for; a file with others is measured anew.
        judge: the evaluator.
        plan: times.
        clock: of the arm.
    """

    def __init__(
        self, path: Path, options: dict[str, Any], judge: Judge, plan: Plan, clock: Clock | None = None
    ) -> None:
        self.path, self._judge, self._plan = path, judge, plan
        self.clock = clock or Clock()
        self.found: dict[str, Any] = {"options": options, "snapshots": [], "stages": {}, "over": ""}
        self._due = [60 * minute for minute in plan.at if minute < plan.minutes] + [60 * plan.minutes]

    def stage(self, name: str) -> None:
        """Note that a part of the work is done."""
        self.found["stages"][name] = round(self.clock.seconds, 1)

    def step(self, number: int, pairs: int, encode: Encode) -> bool:
        """Look when a snapshot is due; tell whether the arm is over."""
        if self.clock.seconds >= self._due[0]:
            self.snapshot(number, pairs, encode)
        return bool(self.found["over"])

    def snapshot(self, number: int, pairs: int, encode: Encode) -> None:
        """Look now; `pairs` have passed through the student since its start."""
        with self.clock.stopped():
            seconds = self.clock.seconds
            self._due = [due for due in self._due if due > seconds] or [float("inf")]
            scores = self._judge.score(encode)
            row = {"seconds": round(seconds, 1), "step": number, "pairs": pairs, **scores}
            self.found["snapshots"].append(row)
            if seconds >= 60 * self._plan.minutes:
                self.found["over"] = "the time was over"
            elif scores["tatoeba"] >= self._plan.goal and seconds >= 60 * self._plan.least_minutes:
                self.found["over"] = "the highest level was reached"
            write_json(self.path, self.found)

    def close(self, why: str, **figures: Any) -> None:  # noqa: ANN401  speeds and counts
        """Write down the end, and further figures."""
        self.found["over"] = self.found["over"] or why
        write_json(self.path, {**self.found, **figures, "finished": True})
