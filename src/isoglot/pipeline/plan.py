"""What a recipe will cost on this machine, before it runs: each stage is tried on a sample and counted up.

The corpus is built, since nothing can be counted without it, and the vectors of single tokens where
`student.rows` asks for them; the run uses both. Nothing else is left behind.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from isoglot.artefact import discard_leftovers
from isoglot.config import Recipe
from isoglot.corpus.split import SPLITS
from isoglot.corpus.store import Corpus, Groups
from isoglot.disk import PARTIAL
from isoglot.encode.encoder import Encoder
from isoglot.encode.locate import locate
from isoglot.evaluate.heldout import HeldOut, hold_out
from isoglot.lock import exclusive
from isoglot.objective.distillation.examples import Examples, with_vectors
from isoglot.objective.paragraphs import with_paragraphs
from isoglot.objective.texts import parallel_texts as train_texts
from isoglot.pipeline.cost import Cost, Stopwatch, forget_peak, peak_bytes
from isoglot.pipeline.evaluate_models import lacking
from isoglot.pipeline.evaluate_suite import ALL, benchmarks_in
from isoglot.pipeline.evaluate_suite import plan as tasks_on
from isoglot.pipeline.further import load_further
from isoglot.pipeline.health import parallel_texts
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.leaks import clear, open_reported
from isoglot.pipeline.run import corpus_of, refuse_empty
from isoglot.pipeline.start import load_start
from isoglot.pipeline.trial import Training, Unknown, encoding, fitting, training
from isoglot.progress import SILENT, Progress
from isoglot.teacher.axes import AXES
from isoglot.teacher.coverage import cover
from isoglot.teacher.documents import open_documents
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.store import Store, key_of
from isoglot.teacher.store_header import HEADER
from isoglot.train.weights import translation_weights

if TYPE_CHECKING:
    from isoglot.encode.model import Shape

NOT_COUNTED = (
    "building the corpus, which is done now and kept",
    "the start of the program and the page of the report, some seconds each",
    "searches and scores on test sets, beyond the encoding of their sentences",
    "an end before the schedule's, by train.patience or a collapse",
)


@dataclass(frozen=True)
class Plan:
    """What a run will do and take; `NOT_COUNTED` names what it leaves out.

    Attributes:
        opening_minutes: for models and texts, until work begins.
        teacher_sentences: that the teacher has still to embed, held-out ones as documents among them.
        teacher_minutes: for that.
        start_sentences: that the warm start is fitted on; 0 for a student that learns on.
        start_minutes: for that, and for the scores before training.
        steps: of training.
        tokens: in all their batches, padding left out.
        training_minutes: for that, with the looks at the dev split and the checkpoints.
        evaluation_sentences: that the finished student encodes.
        evaluation_minutes: for that, and for saving it.
        minutes: for all of it.
        processor_minutes: the same in time of all processors together; less or more than `minutes` where other
            programs take their share, or several processors work.
        memory_bytes: the largest that the process will be.
    """

    opening_minutes: float
    teacher_sentences: int
    teacher_minutes: float
    start_sentences: int
    start_minutes: float
    steps: int
    tokens: int
    training_minutes: float
    evaluation_sentences: int
    evaluation_minutes: float
    minutes: float
    processor_minutes: float
    memory_bytes: int


@dataclass(frozen=True)
class _Begun:
    """Everything before training, and what it costs.

    Attributes:
        student: with its Dense layers, as training takes it.
        examples: the train split, with made-up vectors.
        dev: held-out texts that the looks take.
        test: held-out texts that the scores take.
        opening: cost of models and texts.
        sentences: that the teacher has still to embed, held-out ones as documents among them.
        teaching: cost of that.
        fitted: sentences that the warm start is fitted on.
        starting: cost of that, and of the scores before training.
    """

    student: Encoder
    examples: Examples
    dev: HeldOut
    test: HeldOut
    opening: Cost
    sentences: int
    teaching: Cost
    fitted: int
    starting: Cost


def plan(recipe: Recipe, out: Path, progress: Progress = SILENT, *, evaluate: bool = True) -> Plan:
    """Try every stage of a recipe on a sample.

    Args:
        recipe: what would be done.
        out: the run folder; its corpus is built, its store tells what is embedded already.
        progress: where to report.
        evaluate: whether the run would also score the finished student.

    Raises:
        RequestError: the recipe cannot be run.
        IsoglotError: the corpus cannot be built.
    """
    folder = RunFolder(out)
    scratch = out / f".plan{PARTIAL}"
    with exclusive(out):
        for part in (folder.corpus, folder.rows, scratch):
            discard_leftovers(part)
        corpus = corpus_of(recipe, folder.corpus, progress)
        forget_peak()
        begun = _begin(corpus, recipe, folder, progress)
        progress.stage("teacher", f"{begun.sentences} sentences to embed")
        try:
            trained = training(recipe, begun.student, begun.examples, begun.dev, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        progress.stage("training", f"{trained.steps} steps")
        sentences, after, opened = _after(recipe, corpus, begun.test, folder, evaluate=evaluate)
        return _sum(begun, trained, begun.opening + opened, sentences, after + trained.saving)


def _sum(begun: _Begun, trained: Training, opening: Cost, evaluated: int, after: Cost) -> Plan:
    together = opening + begun.teaching + begun.starting + trained.cost + after
    return Plan(
        opening_minutes=opening.seconds / 60,
        teacher_sentences=begun.sentences,
        teacher_minutes=begun.teaching.seconds / 60,
        start_sentences=begun.fitted,
        start_minutes=begun.starting.seconds / 60,
        steps=trained.steps,
        tokens=trained.tokens,
        training_minutes=trained.cost.seconds / 60,
        evaluation_sentences=evaluated,
        evaluation_minutes=after.seconds / 60,
        minutes=together.seconds / 60,
        processor_minutes=together.processor / 60,
        memory_bytes=peak_bytes(),
    )


def _begin(corpus: Corpus, recipe: Recipe, folder: RunFolder, progress: Progress) -> _Begun:
    """Open what the run opens and try what it does before training; the teacher is let go at the end, as there."""
    watch = Stopwatch()
    benchmarks = open_reported(recipe.evaluate)
    teacher, _ = open_teacher(recipe.teacher)
    teacher.space()  # the run reads all weights for it, too
    covered = cover(corpus, teacher, recipe.teacher.missing)
    cleared = clear(covered, benchmarks, progress, keep_leaks=recipe.evaluate.keep_leaks)
    train, others = _with_paragraphs(corpus, cleared.train, recipe), covered.sources("train")
    dev = hold_out(cleared.dev, others, recipe.evaluate.pool, recipe.evaluate.dev_queries)
    test = hold_out(covered.groups("test"), others, recipe.evaluate.pool, recipe.evaluate.queries)
    refuse_empty(corpus, len(train.sources), dev, test)
    weights = translation_weights(train, recipe.train)
    opening = watch.cost()
    sentences = _left(covered.sources() + train.sources, folder.store)
    teaching = _teaching(recipe, folder, teacher, sentences)
    student, own = _student(recipe, folder, progress, normalise=teacher.normalise)
    watch = Stopwatch()
    unknown = Unknown((len(train.sources), recipe.teacher.dimension or teacher.dimension))
    texts = train_texts(train, student.tokenizer, student.model.shape.prompt, weights)
    examples = with_vectors(texts, unknown)
    documents = open_documents(recipe.teacher, folder.store / AXES)
    opening += watch.cost()
    if documents is not None:
        searched = _left([*dev.pool, *test.pool], folder.documents)
        teaching += encoding(documents.encode, searched)
        sentences += searched
    fitting_cost, fitted = (Cost(), 0) if recipe.student.further else fitting(student, examples, recipe)
    passes = 1 if set(own.pooling) <= set(student.model.shape.pooling) else 2
    tested = encoding(student.encode, test.queries + test.pool) * passes
    starting = fitting_cost + tested
    return _Begun(student, examples, dev, test, opening, len(sentences), teaching, fitted, starting)


def _teaching(recipe: Recipe, folder: RunFolder, teacher: Teacher, sentences: list[str]) -> Cost:
    """What embedding sentences costs, and fitting the axes of a reduced space where there are none yet."""
    cost = encoding(teacher.encode, sentences)
    known = recipe.student.further or (folder.store / AXES).is_file()
    if recipe.teacher.dimension is None or known:
        return cost
    return cost * (1 + min(1.0, recipe.teacher.pca_sentences / max(1, len(sentences))))


def _after(
    recipe: Recipe, corpus: Corpus, test: HeldOut, folder: RunFolder, *, evaluate: bool
) -> tuple[int, Cost, Cost]:
    """Sentences that the finished student encodes, the cost of that, and of opening a student once."""
    watch = Stopwatch()
    student, _ = _student(recipe, folder, SILENT, normalise=True)
    student.space()
    opened = watch.cost()
    asked = _evaluated(recipe, corpus, test) if evaluate else []
    again = test.queries + test.pool if recipe.student.further else []
    texts = asked + again
    return len(texts), encoding(student.encode, texts) + opened * (bool(asked) + bool(again)), opened


def _evaluated(recipe: Recipe, corpus: Corpus, test: HeldOut) -> list[str]:
    """Every text that the evaluation at the end of a run encodes, once."""
    language = str(corpus.manifest.config["source_lang"])
    paths = [Path(path) for path in recipe.evaluate.benchmarks]
    benchmarks = benchmarks_in(paths, (*corpus.languages, language), strict=False)
    tasks, _ = tasks_on(ALL, benchmarks)
    pairs = parallel_texts(benchmarks, test, language).pairs.values()
    health = (text for found in pairs for pair in found for text in pair)
    return lacking(chain(test.queries, test.pool, health, *(task.texts() for task in tasks)), ())


def _student(
    recipe: Recipe, folder: RunFolder, progress: Progress, *, normalise: bool
) -> tuple[Encoder, Shape]:
    """Open the student as the run begins with it, and its own shape."""
    origin = locate(recipe.student.model)
    if recipe.student.further:
        return load_further(origin, recipe.student)
    return load_start(origin, recipe, folder.rows, progress, normalise=normalise)


def _with_paragraphs(corpus: Corpus, groups: Groups, recipe: Recipe) -> Groups:
    if not recipe.train.paragraphs:
        return groups
    beside = [corpus.groups(split) for split in SPLITS]
    return with_paragraphs(groups, beside, recipe.train.paragraphs, recipe.seed)


def _left(texts: list[str], store: Path) -> list[str]:
    """The distinct sentences that a store, if it is there, lacks."""
    keys = {key_of(text): text for text in texts}
    if not (store / HEADER).is_file():
        return list(keys.values())
    _, held = Store.open(store).find(list(keys))
    return [text for text, there in zip(keys.values(), held, strict=True) if not there]
