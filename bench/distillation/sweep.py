"""The peer at its best here: batch size and arithmetic by speed, learning rate and `Normalize` by quality."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from transformers import TrainerCallback

from distillation import peer
from distillation.clock import Clock
from distillation.judge import Judge
from distillation.material import Folder, Settings
from isoglot.artefact import read_json, write_json
from isoglot.encode.locate import locate
from isoglot.encode.precision import best_device, choose


class Grid(NamedTuple):
    """What is tried.

    Attributes:
        batches: sizes, by speed.
        rates: learning rates, each with and without `Normalize`, by Tatoeba accuracy and then R2.
        minutes: of each trial of quality.
        steps: of each trial of speed; the first one is not timed.
    """

    batches: tuple[int, ...]
    rates: tuple[float, ...]
    minutes: float
    steps: int


class _Stop(TrainerCallback):
    """Ends a trial after so many steps or seconds."""

    def __init__(self, over: Callable[[int], bool]) -> None:
        self._over = over

    def on_step_end(self, args: Any, state: Any, control: Any, **_rest: Any) -> None:  # noqa: ANN401
        """Stop when it is over."""
        control.should_training_stop = self._over(state.global_step)


class Sweep:
    """Trials, each kept in the file as soon as it is done."""

    def __init__(self, folder: Folder, settings: Settings, grid: Grid, judge: Judge) -> None:
        self._path = folder.arm("sweep")
        self._settings, self._grid, self._judge = settings, grid, judge
        found = read_json(self._path) if self._path.is_file() else {}
        same = found.get("options") == _plain(grid)
        self.found: dict[str, Any] = found if same else {"options": _plain(grid), "speed": {}, "quality": {}}
        self._labelled: Any = None
        self._folder = folder

    def best(self, minutes: float) -> peer.Recipe:
        """Try what was not tried yet; give the best with a schedule that fills `minutes`."""
        precisions = (False, True) if choose("auto", best_device()) == "bf16" else (False,)
        tried = {}
        for bf16, batch in itertools.product(precisions, self._grid.batches):
            recipe = peer.Recipe(batch=batch, dropout=False, bf16=bf16, steps=self._grid.steps)
            name = f"{'bf16' if bf16 else 'fp32'}, batches of {batch}"
            tried[recipe] = self._known("speed", name, lambda recipe=recipe: self._speed(recipe))
        fast = max(tried, key=lambda recipe: tried[recipe])
        self.found["pairs/s"] = tried[fast]
        trial = _steps(self._grid.minutes, tried[fast], fast.batch)
        scored = {}
        for rate, normalise in itertools.product(self._grid.rates, (True, False)):
            recipe = fast._replace(rate=rate, normalise=normalise, steps=trial)
            name = f"{rate:g}{', Normalize' if normalise else ''}"
            scored[recipe] = self._known("quality", name, lambda recipe=recipe: self._quality(recipe))
        chosen = max(scored, key=lambda recipe: tuple(scored[recipe]))
        self.found.update(finished=True, chosen=chosen._asdict())
        write_json(self._path, self.found)
        return chosen._replace(steps=_steps(minutes, tried[fast], fast.batch))

    def _known(self, kind: str, name: str, measure: Callable[[], Any]) -> Any:  # noqa: ANN401  what was measured
        if name not in self.found[kind]:
            self.found[kind][name] = measure()
            write_json(self._path, self.found)
        return self.found[kind][name]

    def _speed(self, recipe: peer.Recipe) -> float:
        """Pairs a second over all steps but the first."""
        times: list[float] = []

        def over(step: int) -> bool:
            times.append(time.monotonic())
            return step >= self._grid.steps

        self._train(recipe, over)
        return recipe.batch * (len(times) - 1) / (times[-1] - times[0])

    def _quality(self, recipe: peer.Recipe) -> list[float]:
        """Tatoeba accuracy and R2 after the minutes of a trial."""
        clock = Clock()
        student = self._train(recipe, lambda _step: clock.seconds >= 60 * self._grid.minutes)
        scores = self._judge.score(peer.encoder(student))
        return [scores["tatoeba"], scores["r2"]]

    def _train(self, recipe: peer.Recipe, over: Callable[[int], bool]) -> Any:  # noqa: ANN401
        if self._labelled is None:
            self._labelled = peer.own_labels(self._folder, self._settings)
        student = peer.open_student(locate(self._settings.student).folder, recipe)
        peer.train(student, self._labelled, recipe, _Stop(over))
        return student


def _steps(minutes: float, speed: float, batch: int) -> int:
    return max(2, round(60 * minutes * speed / batch))


def _plain(grid: Grid) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in grid._asdict().items()
    }
