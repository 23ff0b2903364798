"""Arms of isoglot: its pipeline as `isoglot run` runs it, looked at between the steps."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from distillation.clock import Record
from distillation.material import MAX_TOKENS, Folder, Settings, cleared
from isoglot.config import Recipe
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.locate import locate
from isoglot.objective.distillation.batches import epoch
from isoglot.objective.texts import parallel_texts
from isoglot.pipeline import learn
from isoglot.pipeline.run import run as run_pipeline
from isoglot.progress import SILENT, Task
from isoglot.recipe import parse_recipe

if TYPE_CHECKING:
    from isoglot.train.validation import DevScore


class _OverError(Exception):
    """Raised between two steps when the arm is over."""


def recipe_of(folder: Folder, settings: Settings, sections: dict[str, dict[str, Any]]) -> Recipe:
    """The defaults of `isoglot distil`, with what an arm changes in `warm_start`, `student` and `train`."""
    return parse_recipe(
        {
            "name": "bench",
            "teacher": {"model": settings.teacher},
            "student": {
                "model": settings.student,
                "max_tokens": MAX_TOKENS,
                **sections.get("student", {}),
            },
            "corpus": {"sources": [str(folder.corpus)]},
            "warm_start": sections.get("warm_start", {}),
            "train": sections["train"],
            "evaluate": settings.evaluate,
        },
        "bench",
    )


class Watch:
    """A `Progress` that looks at the student whenever a snapshot is due, also before the first step.

    Args:
        record: of the arm.
        passed: int64 [steps of an epoch, 2], translations and sentences that have passed after each step.
    """

    def __init__(self, record: Record, passed: NDArray[np.int64]) -> None:
        self._record, self._passed = record, passed
        self.student: Encoder | None = None
        self.steps = 0
        self._looks = 0.0  # seconds of the run's own looks
        self._first = self._last = 0.0  # seconds before the first step and after the last one, without looks

    def stage(self, name: str, summary: str) -> None:
        """Note when a stage is over."""
        self._record.stage(name)

    def task(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        """Follow the training; let other work pass."""
        return self._training() if label == "training" else SILENT.task(label, total, unit)

    def score(self, measure: Callable[..., DevScore], student: Encoder, *rest: Any) -> DevScore:  # noqa: ANN401
        """Pass on the run's own look at its dev split, and remember whom it looks at."""
        self.student = student
        began = time.monotonic()
        result = measure(student, *rest)
        self._looks += time.monotonic() - began if self.steps else 0.0
        return result

    @contextmanager
    def _training(self) -> Iterator[Task]:
        self._first = self._last = self._record.clock.seconds
        self.snapshot()
        yield self

    def advance(self, amount: float = 1.0) -> None:
        """Count steps; look when a snapshot is due."""
        self.steps += int(amount)
        self._last = self._record.clock.seconds - self._looks
        if self.steps and self._record.step(self.steps, int(self.seen[0]), self.encode):
            raise _OverError

    def note(self, text: str) -> None:
        """Nobody reads remarks here."""

    @property
    def seen(self) -> NDArray[np.int64]:
        """Translations and sentences that have passed through the student."""
        whole, rest = divmod(self.steps, len(self._passed))
        return whole * self._passed[-1] + (self._passed[rest - 1] if rest else 0)

    @property
    def speed(self) -> dict[str, float]:
        """Pairs a second of the steps alone; ungrouped, a pair would be two sentences."""
        translations, sentences = self.seen / max(self._last - self._first, 1e-9)
        return {"grouped": float(translations), "ungrouped": float(sentences / 2)}

    def snapshot(self) -> None:
        """Look now."""
        self._record.snapshot(self.steps, int(self.seen[0]), self.encode)

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Encode with the whole vocabulary, though only the rows in use are in the student while it trains."""
        assert self.student is not None
        with whole_vocabulary(self.student) as student:
            return student.encode(texts)


@contextmanager
def whole_vocabulary(student: Encoder) -> Iterator[Encoder]:
    """Give the student its full embedding matrix for a while; its own rows go on learning afterwards."""
    remap, model = student.remap, student.model
    if remap is None:
        yield student
        return
    small = model.backbone.get_input_embeddings()
    remap.__self__.restore(model)  # the bound method of the SubVocabulary in use
    student.remap = None
    try:
        yield student
    finally:
        model.backbone.set_input_embeddings(small)
        student.remap = remap


def passed(folder: Folder, settings: Settings, recipe: Recipe) -> NDArray[np.int64]:
    """Translations and sentences after each step of an epoch, int64 [steps, 2]; what an epoch draws is not random."""
    groups, _ = cleared(Corpus.open(folder.corpus), settings)
    origin = load_encoder(locate(settings.student).folder, max_tokens=MAX_TOKENS)
    texts = parallel_texts(groups, origin.tokenizer, origin.model.shape.prompt)
    batches = epoch(texts, recipe.train, recipe.seed, 0)
    counts = [(int((batch.rows >= texts.sources).sum()), len(batch.rows)) for batch in batches]
    return np.cumsum(np.array(counts), axis=0)


def run(
    folder: Folder,
    settings: Settings,
    sections: dict[str, dict[str, Any]],
    out: Path,
    begin: Callable[[], Record],
) -> None:
    """Measure an arm from the untouched models on; `begin` starts its clock.

    The last snapshot is of the weights that the run ships, unless the arm was over before its schedule was.
    """
    recipe = recipe_of(folder, settings, sections)
    counts = passed(folder, settings, recipe)
    shutil.rmtree(out, ignore_errors=True)
    record = begin()
    watch = Watch(record, counts)
    measure = learn.dev_score
    looked = patch.object(learn, "dev_score", lambda student, *rest: watch.score(measure, student, *rest))
    with looked, contextlib.suppress(_OverError):
        run_pipeline(recipe, out, evaluate=False, progress=watch)
    if not record.found["over"]:
        watch.snapshot()
    record.close("its schedule was over", **{"pairs/s": watch.speed})
    shutil.rmtree(out)


def align(folder: Folder, settings: Settings, begin: Callable[[], Record]) -> None:
    """Measure teacher pass and warm start alone, as `isoglot distil --align-only` does them; the folder stays."""
    shutil.rmtree(folder.align, ignore_errors=True)
    recipe = recipe_of(folder, settings, {"train": {"epochs": 0}})
    record = begin()
    run_pipeline(recipe, folder.align, evaluate=False)
    student = load_encoder(folder.align / "student")
    record.snapshot(0, 0, student.encode)
    record.close("there is no training in it")
