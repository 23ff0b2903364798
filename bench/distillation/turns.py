"""Pairs a second without the machine's moods: a step of the peer and steps of ours for as long, in turns."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from transformers import TrainerCallback

from distillation import peer
from distillation.material import Folder, Settings, cleared
from distillation.ours import recipe_of
from efficiency import distilling, open_student
from isoglot.corpus.store import Corpus
from isoglot.encode.locate import locate
from isoglot.objective.texts import parallel_texts
from isoglot.train.step import new_optimiser, step_batches, take

_WARM_UP = 2  # steps of ours, and of the peer, that are not timed


class Turn(NamedTuple):
    """One step of the peer and the steps of ours beside it.

    Attributes:
        peer: seconds, its tokenising included.
        ours: seconds.
        translations: that passed through ours meanwhile.
        sentences: the same with their English sentences.
    """

    peer: float
    ours: float
    translations: int
    sentences: int


class Ours:
    """Our loop's own steps over the pairs, to random unit vectors, which cost what a teacher's do."""

    def __init__(self, folder: Folder, settings: Settings) -> None:
        groups, _ = cleared(Corpus.open(folder.corpus), settings)
        student = open_student(settings.student)
        texts = parallel_texts(groups, student.tokenizer, student.model.shape.prompt)
        config = recipe_of(folder, settings, {"train": {}}).train
        self.run = distilling(student, texts, config)
        self._sources, self._optimiser = texts.sources, new_optimiser(self.run)
        self._steps = step_batches(self.run)
        for _ in range(_WARM_UP):
            self.step()

    def step(self) -> NDArray[np.int64]:
        """Take the next step; translations and sentences in it."""
        batches = next(self._steps)
        take(self.run, self._optimiser, batches, 0.1, 0)
        rows = np.concatenate([batch.rows for batch in batches])
        return np.array([(rows >= self._sources).sum(), len(rows)])

    def during(self, seconds: float) -> tuple[float, NDArray[np.int64]]:
        """Take steps for so long at the least; seconds, and what passed."""
        began, passed = time.perf_counter(), np.zeros(2, np.int64)
        while time.perf_counter() - began < seconds:
            passed += self.step()
        return time.perf_counter() - began, passed


class _Turns(TrainerCallback):
    """Lets ours have its turn after every step of the peer's trainer."""

    def __init__(self, ours: Ours, rounds: int) -> None:
        self._ours, self._rounds = ours, rounds
        self._resumed = 0.0
        self.found: list[Turn] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **_rest: Any) -> None:  # noqa: ANN401
        """Begin the peer's turn."""
        self._resumed = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_rest: Any) -> None:  # noqa: ANN401
        """End the peer's turn, have ours, begin the peer's next one."""
        own = time.perf_counter() - self._resumed
        if state.global_step > _WARM_UP:
            seconds, passed = self._ours.during(own)
            self.found.append(Turn(own, seconds, *passed.tolist()))
        control.should_training_stop = len(self.found) >= self._rounds
        self._resumed = time.perf_counter()


def measure(folder: Folder, settings: Settings, recipe: peer.Recipe, rounds: int) -> dict[str, Any]:
    """Compare the peer, at a recipe, with ours at its defaults.

    Args:
        folder: with corpus and pairs.
        settings: models, threads.
        recipe: of the peer.
        rounds: steps of the peer.

    Returns:
        Pairs a second of both over all turns, their ratio, and the quartiles of the ratio over single turns.
    """
    student = peer.open_student(locate(settings.student).folder, recipe)
    width = student.get_embedding_dimension()
    assert width is not None
    unit = np.full(width, width**-0.5, np.float32)  # what a label is costs nothing
    turns = _Turns(Ours(folder, settings), rounds)
    peer.train(student, peer.labelled(folder, lambda english: [unit] * len(english)), recipe, turns)
    return {"recipe": recipe._asdict(), **_summary(turns.found, recipe.batch)}


def _summary(turns: list[Turn], batch: int) -> dict[str, Any]:
    columns = np.array(turns)
    passed = columns[:, 2:] / np.array([1, 2])  # by groups, and as two sentences a pair
    rates = passed / columns[:, 1:2] / (batch / columns[:, :1])
    peer_speed = batch * len(turns) / columns[:, 0].sum()
    speed = passed.sum(0) / columns[:, 1].sum()
    return {
        "turns": len(turns),
        "minutes": round(float(columns[:, :2].sum()) / 60, 1),
        "pairs/s": {"peer": round(peer_speed, 2), **_named(speed)},
        "ratio": _named(speed / peer_speed),
        "quartiles": {
            name: [round(float(value), 2) for value in np.quantile(rates[:, place], (0.25, 0.5, 0.75))]
            for place, name in enumerate(("grouped", "ungrouped"))
        },
    }


def _named(both: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(("grouped", "ungrouped"), (round(float(value), 2) for value in both), strict=True))
