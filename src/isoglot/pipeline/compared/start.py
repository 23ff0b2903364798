"""The untouched student of a run without a teacher, and what it is: random, or trained by somebody before."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from isoglot.artefact import read_json
from isoglot.compared_config import ComparedRecipe
from isoglot.encode.e5_small import WEIGHTS
from isoglot.encode.locate import Located
from isoglot.errors import RequestError
from isoglot.progress import Progress
from isoglot.student.folder import CARD
from isoglot.student.kinds import begin

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder

_ROWS = {
    "inputs": "its input embeddings",
    "outputs": "what it makes of each token alone",
    "random": "random token vectors",
}
_E5 = "multilingual-e5-small as published, contrastively pre-trained on pairs in many languages: not a zero line"


def untouched(origin: Located | None, recipe: ComparedRecipe, kept: Path, progress: Progress) -> Encoder:
    """Make the student of a recipe: its kind, pooling, prompt and length, full vocabulary, nothing learned.

    Args:
        origin: the encoder to start from.
        recipe: options.
        kept: folder for token vectors that a static or lstm student starts from.
        progress: where to report.

    Raises:
        RequestError: there is no encoder to start from, or it ends in Dense layers.
    """
    if origin is None:
        raise RequestError("student.model is missing.", "Name the encoder to start from.")
    student = begin(origin.folder, recipe.student, recipe.seed, kept, progress)
    if student.model.dense:
        raise RequestError(
            f"The student {origin.label} already ends in Dense layers.",
            "Start from the encoder that it was made from.",
        )
    from isoglot.encode.model import POOLING_ORDER

    pooling = tuple(mode for mode in POOLING_ORDER if mode in recipe.student.pooling)
    student.model.shape = dataclasses.replace(student.model.shape, pooling=pooling)
    if recipe.student.random:
        draw_anew(student, recipe.seed)
    return student


def draw_anew(student: Encoder, seed: int) -> None:
    """Give a transformer the random weights that its architecture begins with, a function of the seed; in place."""
    import torch

    backbone = student.model.backbone
    device = next(backbone.parameters()).device
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = type(backbone)(backbone.config)
    student.model.backbone = fresh.to(device).eval()


def what_it_is(origin: Located | None, recipe: ComparedRecipe) -> str:
    """Say in one line what a student starts from, for card, scores and report."""
    if origin is None:
        return f"random weights (seed {recipe.seed}) over a vocabulary of its own"
    if recipe.student.random:
        return f"{origin.label}: its architecture with random weights (seed {recipe.seed})"
    if recipe.student.kind != "transformer":
        return f"{origin.label}: its tokenizer, and {_ROWS[recipe.student.rows]} for a {recipe.student.kind} student"
    if origin.label.removeprefix("package:") in (WEIGHTS.name, WEIGHTS.requirement):
        return f"{origin.label}: {_E5}"
    return f"{origin.label}: {_trained_for(origin.folder)}"


def _trained_for(folder: Path) -> str:
    """What the files of a model folder say of its training."""
    if (folder / CARD).is_file():
        return f"a student of isoglot that started from {read_json(folder / CARD)['start']}"
    if (folder / "modules.json").is_file():
        return "weights as published, by its files trained for sentences: not a zero line"
    return "weights as published; its files do not say whether it was trained for sentences"
