"""One phase of siamese training: sentence-transformers' trainer and loss, a model folder in, a model folder out.

The trainer writes no checkpoint: its own hold pickles and not the softmax head. A phase is therefore done as a whole or
again, and does the same each time; what a finished phase gave is a folder of its own.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isoglot.corpus.benchmarks.record import LABELS
from isoglot.errors import IsoglotError, RequestError
from isoglot.objective.siamese.columns import Columns, sizes, texts_of
from isoglot.objective.siamese.sampler import row_lengths, similar_lengths
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import nn

_NEEDED = ("accelerate", "datasets")
_WEIGHT_DECAY = 0.01  # as SBERT was trained with; the trainer's own default is none
_LOOKS = 20  # at the mean loss, during a phase


@dataclass(frozen=True)
class Phase:
    """What is learned from some tables.

    Attributes:
        name: for people and folders, such as `nli`.
        loss: softmax over (u, v, |u - v|), multiple-negatives ranking, or regression of the cosine.
        tables: name -> columns; see `columns`.
        epochs: passes over them.
        batch: rows per batch.
        learning_rate: peak of AdamW's learning rate, which falls linearly to 0.
        warmup: share of the steps in which it rises.
        scale: factor on the cosines of `ranking`.
        seed: of order, dropout and softmax head.
        precision: of matrix products; auto: bf16 where the hardware has it.
    """

    name: str
    loss: Literal["softmax", "ranking", "cosine"]
    tables: Mapping[str, Columns]
    epochs: float
    batch: int
    learning_rate: float
    warmup: float
    scale: float
    seed: int
    precision: Literal["auto", "fp32", "bf16"] = "auto"


@dataclass(frozen=True)
class Trained:
    """How a phase went: steps of the optimiser, seconds, and (step, mean loss since the last one)."""

    steps: int
    seconds: float
    losses: tuple[tuple[int, float], ...]


def require_trainer() -> None:
    """Make sure that sentence-transformers can train.

    Raises:
        RequestError: a package is missing that its trainer needs.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise RequestError(
            f"Siamese training needs the package{'s' * (len(missing) > 1)} {' and '.join(missing)}.",
            "Run: pip install 'isoglot[siamese]'",
        )


def train_phase(start: Path, phase: Phase, target: Path, progress: Progress = SILENT) -> Trained:
    """Train the model of a folder and write it to another, without a checkpoint and without asking any server.

    Args:
        start: a sentence-transformers folder.
        phase: what to learn.
        target: an empty folder for the trained model.
        progress: where to report.

    Raises:
        RequestError: a package is missing, or there is nothing to learn from.
        IsoglotError: the weights are no numbers any more.
    """
    require_trainer()
    _require_rows(phase)
    import torch
    from sentence_transformers import SentenceTransformer

    from isoglot.encode import attention
    from isoglot.objective.siamese.report import make_trainer, silence
    from isoglot.objective.siamese.rows_in_use import rows_in_use

    began = time.monotonic()
    silence()
    torch.manual_seed(phase.seed)  # the softmax head is drawn before the trainer sets its own seed
    model = SentenceTransformer(str(start), local_files_only=True, trust_remote_code=False)
    if model.transformers_model is not None:
        attention.register()
        model.transformers_model.set_attn_implementation(attention.NAME)
    prompt = model.prompts.get(model.default_prompt_name or "", "")
    with (
        rows_in_use(model, texts_of(phase.tables), prompt),
        progress.task(f"training on {phase.name}", _steps(phase), "steps") as task,
    ):
        options = {
            "model": model,
            "args": _arguments(phase, model, prompt, target),
            "train_dataset": _datasets(phase.tables),
            "loss": _loss(phase, model),
        }
        trainer, losses = make_trainer(task, options)
        trainer.train()
    _require_numbers(model, phase)
    model.save_pretrained(str(target), create_model_card=False)
    return Trained(trainer.state.global_step, time.monotonic() - began, tuple(losses))


def _arguments(phase: Phase, model: Any, prompt: str, target: Path) -> Any:  # noqa: ANN401  untyped where they come from
    from sentence_transformers import SentenceTransformerTrainingArguments

    from isoglot.encode.precision import choose

    return SentenceTransformerTrainingArguments(
        output_dir=str(target),
        num_train_epochs=phase.epochs,
        per_device_train_batch_size=phase.batch,
        learning_rate=phase.learning_rate,
        warmup_steps=phase.warmup,
        weight_decay=_WEIGHT_DECAY,
        batch_sampler=_sampler(phase),
        prompts=prompt or None,
        seed=phase.seed,
        logging_steps=max(1, _steps(phase) // _LOOKS),
        save_strategy="no",
        report_to="none",
        push_to_hub=False,
        disable_tqdm=True,
        bf16=choose(phase.precision, model.device) == "bf16",
        use_cpu=model.device.type == "cpu",
        dataloader_pin_memory=model.device.type == "cuda",
    )


def _sampler(phase: Phase) -> Any:  # noqa: ANN401  untyped where these come from
    """What makes the batches; a text that stands twice in one of ranking would be its own negative."""
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    if phase.loss == "ranking":
        return BatchSamplers.NO_DUPLICATES
    (columns,) = phase.tables.values()
    return similar_lengths(row_lengths(columns))


def _loss(phase: Phase, model: Any) -> nn.Module:  # noqa: ANN401  untyped where it comes from
    """sentence-transformers' own loss."""
    from sentence_transformers.sentence_transformer import losses

    made: nn.Module
    match phase.loss:
        case "softmax":
            made = losses.SoftmaxLoss(model, model.get_embedding_dimension(), num_labels=len(LABELS))
        case "ranking":
            made = losses.MultipleNegativesRankingLoss(model, scale=phase.scale)
        case "cosine":
            made = losses.CosineSimilarityLoss(model)
    return made


def _datasets(tables: Mapping[str, Columns]) -> Any:  # noqa: ANN401  untyped where these come from
    """One table as it is; several are sampled in proportion to their sizes, each batch from one."""
    from datasets import Dataset

    made = {name: Dataset.from_dict(dict(columns)) for name, columns in tables.items()}
    return next(iter(made.values())) if len(made) == 1 else made


def _steps(phase: Phase) -> int:
    """Steps of a phase, about: the sampler without duplicates may leave some rows out."""
    batches = sum(math.ceil(rows / phase.batch) for rows in sizes(phase.tables).values())
    return math.ceil(batches * phase.epochs)


def _require_rows(phase: Phase) -> None:
    if sum(sizes(phase.tables).values()) < phase.batch:
        raise RequestError(
            f"There are {sum(sizes(phase.tables).values())} rows to learn {phase.name} from, and a batch has"
            f" {phase.batch}.",
            "Give more pairs, or a smaller batch.",
        )


def _require_numbers(model: nn.Module, phase: Phase) -> None:
    import torch

    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise IsoglotError(
            f"Training on {phase.name} ended in weights that are no numbers.", "Use a lower learning rate."
        )
