"""Stages of a run tried on a sample: what each will cost, and as much memory as each will hold."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.config import Recipe, WarmStartConfig
from isoglot.encode.encoder import Encoder
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.stages import dev_score
from isoglot.objective.distillation.examples import Examples
from isoglot.objective.distillation.objective import Distillation
from isoglot.pipeline.cost import Cost, Stopwatch
from isoglot.pipeline.learn import vocabulary_in_use
from isoglot.student.kinds import fold
from isoglot.train import checkpoint
from isoglot.train.checkpoint import CurvePoint, Progressed
from isoglot.train.head import train_head
from isoglot.train.pace import PROBE_STEPS, schedule
from isoglot.train.schedule import Schedule, steps_in
from isoglot.train.schedule import plan as lay_out
from isoglot.train.step import Run, new_optimiser, step_batches, take
from isoglot.train.warm_start import choose_rows, ridge_layer

if TYPE_CHECKING:
    from isoglot.encode.model import Dense

_SAMPLE = 256  # sentences that an encoder is timed on
_FIRST, _STEPS = 2, 12  # steps that pay for memory which later ones reuse, and those that are timed
_COUNTED = 100_000  # steps whose tokens are counted; further ones have as many each


@dataclass(frozen=True)
class Unknown:
    """Vectors that nobody has computed yet: random ones take as long to learn from."""

    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        drawn = np.random.default_rng(0).standard_normal((len(rows), self.shape[1]), np.float32)
        return drawn / np.float32(np.sqrt(self.shape[1]))


@dataclass(frozen=True)
class Training:
    """What training takes.

    Attributes:
        steps: of the optimiser.
        tokens: in all their batches, padding left out.
        cost: of these steps, the looks at the dev split and the checkpoints.
        saving: what writing the finished student costs.
    """

    steps: int
    tokens: int
    cost: Cost
    saving: Cost


def encoding(encode: Callable[[list[str]], object], texts: list[str]) -> Cost:
    """What encoding texts costs: in proportion to their characters, from a random sample."""
    if not texts:
        return Cost()
    chosen = np.random.default_rng(0).permutation(len(texts))[:_SAMPLE]
    sample = [texts[row] for row in chosen]
    encode(sample[:8])  # pays for the start
    watch = Stopwatch()
    encode(sample)
    return watch.cost() * (sum(map(len, texts)) / max(1, sum(map(len, sample))))


def fitting(student: Encoder, examples: Examples, recipe: Recipe) -> tuple[Cost, int]:
    """Fit Dense layers as the warm start does, on made-up features, and put them behind the student.

    Returns:
        What the real ones cost, and the number of sentences that they are fitted on.
    """
    from isoglot.encode.model import Dense

    config, dimension = recipe.warm_start, examples.vectors.shape[1]
    width = student.model.feature_width
    if config.sentences == 0:
        _put_behind(student, () if width == dimension else (Dense(width, dimension),))
        return Cost(), 0
    rows = choose_rows(examples, config.sentences, recipe.seed)
    cost = encoding(student.features, [examples.texts[row] for row in rows])
    features = np.random.default_rng(1).standard_normal((len(rows), width), np.float32)
    targets = examples.vectors[examples.group[rows]]
    watch = Stopwatch()
    layers: tuple[Dense, ...] = (ridge_layer(features, targets, config.ridge),)
    cost += watch.cost()
    if config.head_steps:
        heads = [_head(layers[0], features, targets, student, config, steps) for steps in (_FIRST, _STEPS)]
        (first, _), (second, layers) = heads
        step = (second + first * -1) * (1 / (_STEPS - _FIRST))
        cost += second + step * (config.head_steps - _STEPS)
    _put_behind(student, layers)
    return cost, len(rows)


def _put_behind(student: Encoder, layers: tuple[Dense, ...]) -> None:
    device = next(student.model.backbone.parameters()).device
    student.model.dense.extend(layer.to(device) for layer in layers)
    fold(student)


def _head(
    ridge: Dense,
    features: NDArray[np.float32],
    targets: NDArray[np.float32],
    student: Encoder,
    config: WarmStartConfig,
    steps: int,
) -> tuple[Cost, tuple[Dense, ...]]:
    watch = Stopwatch()
    few = config.model_copy(update={"head_steps": steps})
    layers = train_head(ridge, features, targets, few, normalise=student.model.shape.normalise, seed=0)
    return watch.cost(), layers


def training(recipe: Recipe, student: Encoder, examples: Examples, dev: HeldOut, scratch: Path) -> Training:
    """Take some steps of training, look once at the dev split and write one checkpoint, in `scratch`."""
    vocabulary = vocabulary_in_use(student, examples, dev)
    pool = Unknown((len(dev.pool), examples.vectors.shape[1]))[np.arange(len(dev.pool))]
    own = dataclasses.replace(examples, tokens=vocabulary.remap(examples.tokens))
    run = Run(
        student, Distillation(own, recipe.train, recipe.seed, recipe.student.dims),
        lambda encoder: dev_score(encoder, pool, dev, recipe.seed), recipe.train, recipe.seed, scratch, "",
    )  # fmt: skip
    tried = _tried(run, own)
    vocabulary.restore(student.model)
    student.remap = None
    steps, config = tried.schedule.steps, recipe.train
    looks = 1 + sum(map(tried.schedule.evaluates_after, range(1, steps + 1)))
    cost = tried.step * (steps + (PROBE_STEPS if config.minutes is not None else 0))
    cost += (tried.look + tried.save) * looks + tried.look * bool(recipe.student.dims)
    weights = sum(tensor.nbytes for tensor in student.model.state_dict().values())
    return Training(steps, _tokens(run, steps), cost, tried.save * (weights / tried.written))


@dataclass(frozen=True)
class _Tried:
    """What one step, one look and one checkpoint of `written` bytes cost, and how often the run will do each."""

    step: Cost
    look: Cost
    save: Cost
    written: int
    schedule: Schedule


def _tried(run: Run, examples: Examples) -> _Tried:
    """Do some steps, a look and a checkpoint; the optimiser is let go at the end, as in the run."""
    watch = Stopwatch()
    score = run.validate(run.student)
    look = watch.cost()
    optimiser = new_optimiser(run)
    step = Cost() if run.config.epochs == 0 else _step(run, optimiser, examples)
    laid_out = _laid_out(run, step, look)
    begun = Progressed(0, 0.0, laid_out, (CurvePoint(0, 0.0, None, score),), 0)
    watch = Stopwatch()
    checkpoint.save(run.folder, begun, run.student.model, optimiser, "", run.objective.beside)
    save = watch.cost()
    written = sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())
    shutil.rmtree(run.folder)
    return _Tried(step, look, save, written, laid_out)


def _step(run: Run, optimiser: Any, examples: Examples) -> Cost:  # noqa: ANN401  torch's
    """What a step costs; the batch of the longest texts is among those that are tried, for the memory it needs."""
    steps = step_batches(run)
    for batches in itertools.islice(steps, _FIRST):
        take(run, optimiser, batches, 0.0, 0)
    watch = Stopwatch()
    for batches in itertools.islice(steps, _STEPS):
        take(run, optimiser, batches, 0.0, 0)
    cost = watch.cost() * (1 / _STEPS)
    lengths = examples.tokens.lengths
    longest = max(run.objective.epoch(0), key=lambda batch: int(lengths[batch.rows].max()))
    take(run, optimiser, [longest], 0.0, 0)
    return cost


def _laid_out(run: Run, step: Cost, look: Cost) -> Schedule:
    """Lay training out as the run will, on the speed that was measured here."""
    config = run.config
    if config.minutes is None:
        return schedule(run, look.seconds)
    left = config.minutes * 60 - look.seconds - PROBE_STEPS * step.seconds
    steps = steps_in(left, step.seconds, look.seconds, config.evaluations)
    return lay_out(steps, config.warmup, config.evaluations)


def _tokens(run: Run, steps: int) -> int:
    counted = min(steps, _COUNTED)
    found = sum(
        run.objective.tokens(batch)
        for batches in itertools.islice(step_batches(run), counted)
        for batch in batches
    )
    return round(found * steps / counted) if counted else 0
