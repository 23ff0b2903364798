"""The warm start as a stage: Dense layers fitted in closed form, with held-out scores before and after."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoglot.artefact import Manifest, is_current, publish, read_json, read_manifest
from isoglot.config import Recipe
from isoglot.encode.encoder import Encoder
from isoglot.encode.locate import Located, folder_digest
from isoglot.encode.tensors import write_tensors
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report.data import StageScores
from isoglot.evaluate.stages import Vectors, score_languages
from isoglot.objective.distillation.examples import Examples
from isoglot.pipeline.reference import Reference
from isoglot.progress import SILENT, Progress
from isoglot.student.kinds import begin, fold
from isoglot.train.head import train_head
from isoglot.train.warm_start import choose_rows, ridge_layer

if TYPE_CHECKING:
    from isoglot.encode.model import Dense, Shape

_SCORES = "scores.json"
_DENSE = "dense.safetensors"


@dataclass(frozen=True)
class Start:
    """A student with its Dense layers in place, and how it scored on the held-out test sentences.

    Attributes:
        student: full vocabulary, not trained yet.
        digest: of the warm start artefact.
        sentences: that the layers were fitted on; 0 when they are random.
        scores: "before" and "warm start" -> language -> scores.
    """

    student: Encoder
    digest: str
    sentences: int
    scores: Mapping[str, Mapping[str, StageScores]]


def load_start(
    located: Located, recipe: Recipe, kept: Path, progress: Progress = SILENT, *, normalise: bool
) -> tuple[Encoder, Shape]:
    """Make the untouched student with the recipe's pooling, prompt and length; give its own shape beside it.

    Its vectors get unit length with `normalise`: when the teacher's have it. `kept` is the folder for token vectors
    that a static or lstm student starts from.

    Raises:
        RequestError: the folder already ends in Dense layers, so its backbone alone is not what it was.
    """
    student = begin(located.folder, recipe.student, recipe.seed, kept, progress)
    if student.model.dense:
        raise RequestError(
            f"The student {located.label} already ends in Dense layers.",
            "Start from the encoder that it was made from.",
        )
    from isoglot.encode.model import POOLING_ORDER

    own = student.model.shape
    pooling = tuple(mode for mode in POOLING_ORDER if mode in recipe.student.pooling)
    student.model.shape = dataclasses.replace(own, pooling=pooling, normalise=normalise)
    return student, own


def warm_start(
    folder: Path,
    recipe: Recipe,
    located: Located,
    examples: Examples,
    student: tuple[Encoder, Shape],
    test: tuple[HeldOut, Reference],
    inputs: Mapping[str, str],
    progress: Progress,
) -> Start:
    """Fit the Dense layers, or load them when `folder` already answers this request.

    Args:
        folder: the artefact.
        recipe: options.
        located: the untouched student, for its digest.
        examples: the train split.
        student: what `load_start` gave.
        test: held-out test texts, and the teacher's vectors of their pool.
        inputs: digests of corpus and teacher space.
        progress: where to report.
    """
    encoder, own = student
    config = {
        "warm_start": recipe.warm_start.model_dump(), "student": recipe.student.model_dump(mode="json"),
        "evaluate": recipe.evaluate.model_dump(exclude={"benchmarks", "keep_leaks"}),  # their digest is in `inputs`
        "seed": recipe.seed, "precision": encoder.precision,
    }  # fmt: skip
    counts: dict[str, int] = {}  # filled in while fitting, written by publish
    manifest = Manifest("warm start", {**inputs, "student": folder_digest(located.folder)}, config, counts)
    if not is_current(folder, manifest):
        with publish(folder, manifest) as scratch:
            layers, counts["sentences"] = _fit(encoder, examples, recipe, progress)
            scores = _score(encoder, own, layers, test, progress)
            _save(scratch, layers, scores)
    attach(encoder, folder)
    raw = read_json(folder / _SCORES)
    scores = {
        stage: {language: StageScores(**values) for language, values in rows.items()}
        for stage, rows in raw.items()
    }
    made = read_manifest(folder)
    return Start(encoder, made.digest, made.counts["sentences"], scores)


def _fit(
    student: Encoder, examples: Examples, recipe: Recipe, progress: Progress
) -> tuple[tuple[Dense, ...], int]:
    """Give the Dense layers, and the number of sentences that they were fitted on."""
    from isoglot.encode.model import Dense

    config, dimension = recipe.warm_start, examples.vectors.shape[1]
    if config.sentences == 0:
        import torch

        torch.manual_seed(recipe.seed)
        width = student.model.feature_width
        return (() if width == dimension else (Dense(width, dimension),)), 0
    rows = choose_rows(examples, config.sentences, recipe.seed)
    features = student.features(
        [examples.texts[row] for row in rows], progress, "features of the untouched student"
    )
    targets = examples.vectors[examples.group[rows]]
    ridge = ridge_layer(features, targets, config.ridge)
    if config.head_steps == 0:
        return (ridge,), len(rows)
    normalise = student.model.shape.normalise
    layers = train_head(
        ridge, features, targets, config, normalise=normalise, seed=recipe.seed, progress=progress
    )
    return layers, len(rows)


def _score(
    student: Encoder,
    own: Shape,
    layers: tuple[Dense, ...],
    test: tuple[HeldOut, Reference],
    progress: Progress,
) -> dict[str, dict[str, StageScores]]:
    """Score the untouched student and the warm start on one pass over the test sentences."""
    import torch

    held_out, reference = test
    features = student.features(held_out.queries + held_out.pool, progress, "test sentences before training")
    targets, documents = reference.vectors(held_out.pool), reference.searched(held_out.pool)
    before = _own_vectors(features, student, own, held_out)
    student.model.dense.extend(layers)
    with torch.inference_mode():
        after = student.model.head(torch.from_numpy(features)).numpy()
    del student.model.dense[:]
    cut = len(held_out.queries)
    return {
        stage: score_languages(Vectors(vectors[:cut], vectors[cut:]), targets, held_out, documents)
        for stage, vectors in (("before", before), ("warm start", after))
    }


def _own_vectors(features: np.ndarray, student: Encoder, own: Shape, held_out: HeldOut) -> np.ndarray:
    """Give the untouched student's own sentence vectors, cut out of its pooled features where they are there."""
    modes = student.model.shape.pooling
    if not set(own.pooling) <= set(modes):
        chosen, student.model.shape = student.model.shape, own
        vectors = student.features(held_out.queries + held_out.pool)
        student.model.shape = chosen
        return vectors
    width = features.shape[1] // len(modes)
    return np.concatenate(
        [features[:, modes.index(mode) * width :][:, :width] for mode in own.pooling], axis=1
    )


def _save(folder: Path, layers: tuple[Dense, ...], scores: Mapping[str, Mapping[str, StageScores]]) -> None:
    tensors = {}
    for number, layer in enumerate(layers):
        tensors[f"{number}.weight"] = layer.linear.weight
        tensors[f"{number}.bias"] = layer.linear.bias
    write_tensors(folder / _DENSE, tensors)
    plain = {
        stage: {tag: dataclasses.asdict(row) for tag, row in rows.items()} for stage, rows in scores.items()
    }
    (folder / _SCORES).write_text(json.dumps(plain, indent=2))


def attach(student: Encoder, folder: Path) -> None:
    """Put the saved layers behind the student's features, all but the last with a GELU; one alone into a static one."""
    import torch
    from safetensors.torch import load_file

    from isoglot.encode.model import Dense

    tensors = load_file(folder / _DENSE)
    count = len(tensors) // 2
    del student.model.dense[:]
    for number in range(count):
        weight = tensors[f"{number}.weight"]
        layer = Dense(weight.shape[1], weight.shape[0], torch.nn.GELU() if number < count - 1 else None)
        layer.linear.load_state_dict({"weight": weight, "bias": tensors[f"{number}.bias"]})
        student.model.dense.append(layer.to(next(student.model.backbone.parameters()).device))
    fold(student)
