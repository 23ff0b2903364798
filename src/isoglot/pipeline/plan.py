"""What a recipe will cost on this machine, before it runs: each stage is tried on a sample and counted up.

The corpus is built, since nothing can be counted without it, and the vectors of single tokens where
`student.rows` asks for them; the run uses both. Nothing else is written.
"""

from __future__ import annotations

import dataclasses
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import discard_leftovers
from isoglot.config import Recipe
from isoglot.corpus.split import SPLITS
from isoglot.corpus.store import Corpus, Groups
from isoglot.encode.encoder import Encoder
from isoglot.encode.locate import locate
from isoglot.evaluate.heldout import HeldOut, hold_out
from isoglot.evaluate.stages import dev_score
from isoglot.lock import exclusive
from isoglot.objective.distillation.examples import Examples
from isoglot.objective.distillation.objective import Distillation
from isoglot.objective.paragraphs import with_paragraphs
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.leaks import clear, open_reported
from isoglot.pipeline.learn import vocabulary_in_use
from isoglot.pipeline.run import corpus_of
from isoglot.pipeline.start import load_start
from isoglot.progress import SILENT, Progress
from isoglot.teacher.coverage import Covered, cover
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_header import HEADER
from isoglot.train.pace import measured
from isoglot.train.schedule import steps_in
from isoglot.train.step import Run

_SAMPLE = 256  # sentences that an encoder is timed on
_STEPS = 12  # steps of training that are timed


@dataclass(frozen=True)
class Plan:
    """What a run will do and take.

    Attributes:
        teacher_sentences: that the teacher has still to embed.
        teacher_minutes: for that.
        start_sentences: that the warm start is fitted on.
        start_minutes: for that, and for the scores before training.
        steps: of training.
        tokens: in all batches of training, padding included.
        training_minutes: for that, with the looks at the dev split.
        minutes: for all of it, the corpus left out.
        memory_bytes: the largest that the process will be.
    """

    teacher_sentences: int
    teacher_minutes: float
    start_sentences: int
    start_minutes: float
    steps: int
    tokens: int
    training_minutes: float
    minutes: float
    memory_bytes: int


@dataclass(frozen=True)
class _Unknown:
    """Vectors that nobody has computed yet: random ones take as long to learn from."""

    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        drawn = np.random.default_rng(0).standard_normal((len(rows), self.shape[1]), np.float32)
        return drawn / np.float32(np.sqrt(self.shape[1]))


def plan(recipe: Recipe, out: Path, progress: Progress = SILENT) -> Plan:
    """Try every stage of a recipe on a sample.

    Args:
        recipe: what would be done.
        out: the run folder; its corpus is built, its store tells what is embedded already.
        progress: where to report.

    Raises:
        RequestError: the recipe cannot be run.
        IsoglotError: the corpus cannot be built.
    """
    folder = RunFolder(out)
    with exclusive(out):
        discard_leftovers(folder.corpus)
        corpus = corpus_of(recipe, folder.corpus, progress)
        benchmarks = open_reported(recipe.evaluate)
        teacher, _ = open_teacher(recipe.teacher)
        covered = cover(corpus, teacher, recipe.teacher.missing)
        cleared = clear(covered, benchmarks, progress, keep_leaks=recipe.evaluate.keep_leaks)
        train = _with_paragraphs(corpus, cleared.train, recipe)
        sentences = _left(covered.sources() + train.sources, folder.store)
        teacher_seconds = len(sentences) * _seconds_per_text(teacher, sentences)
        progress.stage("teacher", f"{len(sentences)} sentences to embed")
        student, _ = load_start(
            locate(recipe.student.model), recipe, folder.rows, progress, normalise=teacher.normalise
        )
        dev = _held(covered, cleared.dev, recipe, recipe.evaluate.dev_queries)
        test = _held(covered, covered.groups("test"), recipe, recipe.evaluate.queries)
        examples = _examples(train, student, recipe.teacher.dimension or teacher.dimension)
        return _count(recipe, (student, examples, dev, test), teacher_seconds, len(sentences), folder)


def _count(
    recipe: Recipe,
    parts: tuple[Encoder, Examples, HeldOut, HeldOut],
    teacher_seconds: float,
    sentences: int,
    folder: RunFolder,
) -> Plan:
    student, examples, dev, test = parts
    fitted = min(recipe.warm_start.sentences, len(examples.texts))
    encoded = _seconds_per_text(student, examples.texts)
    tested = encoded * (len(test.queries) + len(test.pool))
    start_seconds = encoded * fitted + tested
    steps, tokens, training_seconds = _training(recipe, student, examples, dev, folder)
    total = teacher_seconds + start_seconds + training_seconds + tested
    return Plan(
        sentences, teacher_seconds / 60, fitted, start_seconds / 60, steps, tokens, training_seconds / 60,
        total / 60, _peak_bytes(),
    )  # fmt: skip


def _training(
    recipe: Recipe, student: Encoder, examples: Examples, dev: HeldOut, folder: RunFolder
) -> tuple[int, int, float]:
    """Steps, tokens and seconds of training, from some steps that are really taken."""
    from isoglot.encode.model import Dense

    config = recipe.train
    student.model.dense.append(Dense(student.model.feature_width, examples.vectors.shape[1]))
    student.model.to(next(student.model.backbone.parameters()).device)
    vocabulary = vocabulary_in_use(student, examples, dev)
    pool = _Unknown((len(dev.pool), examples.vectors.shape[1]))[np.arange(len(dev.pool))]
    own = dataclasses.replace(examples, tokens=vocabulary.remap(examples.tokens))
    run = Run(
        student, Distillation(own, config, recipe.seed, recipe.student.dims),
        lambda encoder: dev_score(encoder, pool, dev, recipe.seed), config, recipe.seed, folder.training, "",
    )  # fmt: skip
    began = time.monotonic()
    run.validate(student)
    look = time.monotonic() - began
    step, _ = measured(run, _STEPS)
    sizes = [len(batch.rows) * int(examples.tokens.lengths[batch.rows].max()) for batch in _epoch(run)]
    if config.minutes is not None:
        steps = steps_in(config.minutes * 60 - look, step, look, config.evaluations)
        seconds = config.minutes * 60
    else:
        passes = 1.0 if config.epochs is None else config.epochs
        steps = round(len(sizes) * passes / config.accumulate)
        seconds = steps * step + look * (1 + min(steps, config.evaluations))
    vocabulary.restore(student.model)
    student.remap = None
    return steps, round(steps * config.accumulate * float(np.mean(sizes))), seconds


def _epoch(run: Run) -> list[Any]:
    return list(run.objective.epoch(0))


def _with_paragraphs(corpus: Corpus, groups: Groups, recipe: Recipe) -> Groups:
    if not recipe.train.paragraphs:
        return groups
    beside = [corpus.groups(split) for split in SPLITS]
    return with_paragraphs(groups, beside, recipe.train.paragraphs, recipe.seed)


def _held(covered: Covered, groups: Groups, recipe: Recipe, queries: int) -> HeldOut:
    return hold_out(groups, covered.sources("train"), recipe.evaluate.pool, queries)


def _examples(groups: Groups, student: Encoder, dimension: int) -> Examples:
    texts = groups.sources + groups.targets
    own = np.arange(len(groups.sources), dtype=np.int32)
    return Examples(
        texts=texts,
        tokens=student.tokenizer(texts, student.model.shape.prompt),
        group=np.concatenate([own, groups.group.astype(np.int32)]),
        language=np.concatenate([np.full(len(own), -1, np.int16), groups.language.astype(np.int16)]),
        vectors=_Unknown((len(groups.sources), dimension)),
        languages=groups.languages,
    )


def _left(texts: list[str], store: Path) -> list[str]:
    """The distinct sentences that a store, if it is there, lacks."""
    keys = {key_of(text): text for text in texts}
    if not (store / HEADER).is_file():
        return list(keys.values())
    _, held = Store.open(store).find(list(keys))
    return [text for text, there in zip(keys.values(), held, strict=True) if not there]


def _seconds_per_text(encoder: Teacher | Encoder, texts: list[str]) -> float:
    """Time an encoder on a random sample, after some texts that pay for its start."""
    if not texts:
        return 0.0
    chosen = np.random.default_rng(0).permutation(len(texts))[:_SAMPLE]
    sample = [texts[row] for row in chosen]
    encoder.encode(sample[:8])
    began = time.monotonic()
    encoder.encode(sample)
    return (time.monotonic() - began) / len(sample)


def _peak_bytes() -> int:
    """The largest this process has been; the trial held everything at once that the run will hold."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
