"""Arms of the peer: sentence-transformers' own trainer, as its multilingual example uses it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
from sentence_transformers.sentence_transformer.losses import MSELoss
from sentence_transformers.sentence_transformer.modules import Normalize
from transformers import TrainerCallback

from distillation.clock import Record
from distillation.judge import Encode
from distillation.material import MAX_TOKENS, Folder, Settings
from isoglot.encode.locate import locate
from isoglot.encode.precision import best_device
from isoglot.teacher.store import Store

TEACHER_BATCH = 64


class Recipe(NamedTuple):
    """How the peer trains; the defaults are those of its example.

    Attributes:
        rate: peak learning rate of AdamW, reached after a tenth of the steps and then falling to zero.
        batch: pairs.
        dropout: whether the student's own dropout is on.
        normalise: whether a `Normalize` module is added, as the teacher has one.
        bf16: arithmetic.
        epochs: of the schedule.
        steps: of the schedule instead, where it is fitted to the time.
    """

    rate: float = 2e-5
    batch: int = 64
    dropout: bool = True
    normalise: bool = False
    bf16: bool = False
    epochs: int = 5
    steps: int = -1


def open_student(folder: Path, recipe: Recipe) -> SentenceTransformer:
    """Load a folder; one without sentence-transformers' files gets mean pooling from the library itself."""
    student = SentenceTransformer(str(folder), device=best_device().type)
    student.max_seq_length = MAX_TOKENS
    if recipe.normalise and not any(isinstance(module, Normalize) for module in student):
        student.append(Normalize())
    if not recipe.dropout:
        for module in student.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    return student


def own_labels(folder: Folder, settings: Settings) -> DatasetDict:
    """Do the teacher pass as the example does: every row of every language."""
    teacher = SentenceTransformer(str(locate(settings.teacher).folder), device=best_device().type)

    def vectors(english: list[str]) -> NDArray[np.float32]:
        return np.asarray(teacher.encode(english, batch_size=TEACHER_BATCH, show_progress_bar=False))

    return labelled(folder, vectors)


def stored_labels(folder: Folder) -> DatasetDict:
    """Take the teacher vectors that the warm start needed anyway, whose time is counted there."""
    return labelled(folder, Store.open(folder.align / "store").vectors)


def labelled(folder: Folder, vectors: Any) -> DatasetDict:  # noqa: ANN401  a function of texts
    """Pairs of every language with the vectors of their English sides."""
    pairs = json.loads(folder.pairs.read_text())
    return DatasetDict({
        tag: Dataset.from_dict({**rows, "label": list(vectors(rows["english"]))})
        for tag, rows in pairs.items()
    })  # fmt: skip


def encoder(student: SentenceTransformer) -> Encode:
    """Encode for the judge."""

    def encode(texts: list[str]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(student.encode(texts, show_progress_bar=False), np.float32)

    return encode


class Looks(TrainerCallback):
    """Takes the snapshots between the trainer's steps, and ends it when the arm is over."""

    def __init__(self, student: SentenceTransformer, record: Record, batch: int) -> None:
        self._student, self._record, self._batch = student, record, batch
        self._first = self._last = record.clock.seconds
        self.pairs = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_rest: Any) -> None:  # noqa: ANN401
        """Let the speed count from here."""
        self._first = self._record.clock.seconds

    def on_step_end(self, args: Any, state: Any, control: Any, **_rest: Any) -> None:  # noqa: ANN401
        """Snapshot when one is due."""
        self._last = self._record.clock.seconds
        self.pairs = state.global_step * self._batch
        if self._record.step(state.global_step, self.pairs, encoder(self._student)):
            control.should_training_stop = True

    @property
    def speed(self) -> dict[str, float]:
        """Pairs a second of the steps; each is two sentences here, whether its English is another pair's or not."""
        pairs = self.pairs / max(self._last - self._first, 1e-9)
        return {"grouped": pairs, "ungrouped": pairs}


def train(
    student: SentenceTransformer, labelled: DatasetDict, recipe: Recipe, callback: TrainerCallback
) -> int:
    """Run the trainer to the end of its schedule, or until the callback stops it; give the steps done."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = Arguments(
            output_dir=scratch,
            num_train_epochs=recipe.epochs,
            max_steps=recipe.steps,
            per_device_train_batch_size=recipe.batch,
            learning_rate=recipe.rate,
            warmup_steps=0.1,
            bf16=recipe.bf16,
            use_cpu=best_device().type == "cpu",
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = SentenceTransformerTrainer(
            model=student, args=arguments, train_dataset=labelled, loss=MSELoss(student), callbacks=[callback]
        )
        trainer.train()
        return int(trainer.state.global_step)


def run(folder: Folder, settings: Settings, recipe: Recipe, record: Record, start: Path | None) -> None:
    """Measure an arm; `start` is the student folder of the warm start, whose time the clock holds already."""
    if start is None:
        labelled = own_labels(folder, settings)
        record.stage("teacher pass")
    else:
        labelled = stored_labels(folder)
    student = open_student(start or locate(settings.student).folder, recipe)
    record.snapshot(0, 0, encoder(student))
    looks = Looks(student, record, recipe.batch)
    steps = train(student, labelled, recipe, looks)
    if not record.found["over"]:
        record.snapshot(steps, looks.pairs, encoder(student))
    record.close("its schedule was over", **{"pairs/s": looks.speed})
