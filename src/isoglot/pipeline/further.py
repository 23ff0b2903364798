"""A finished student learns on: from its own weights and Dense layers, in the space that it lives in already."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.artefact import Manifest, is_current, publish, read_json, read_manifest
from isoglot.config import Recipe, StudentConfig
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.locate import Located, folder_digest
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report.data import StageScores
from isoglot.evaluate.stages import encode, score_languages
from isoglot.pipeline.reference import Reference
from isoglot.pipeline.start import Start
from isoglot.progress import Progress
from isoglot.recipe import parse_recipe, with_overrides
from isoglot.student.folder import CARD
from isoglot.teacher.axes import AXES
from isoglot.teacher.store_header import HEADER

if TYPE_CHECKING:
    from isoglot.encode.model import Shape

_SCORES = "scores.json"
_KINDS = {"StaticEmbedding": "static", "WordEmbeddings": "lstm"}


def further_recipe(
    student: Path, sources: Sequence[str], train: Mapping[str, float | None], overrides: Sequence[str] = ()
) -> Recipe:
    """Make the recipe with which a finished student learns on: its teacher, its shape; its languages are protected.

    Args:
        student: a folder that isoglot made.
        sources: parallel text: the new, and the old as far as it is still there.
        train: minutes or epochs.
        overrides: further keys of the recipe.

    Raises:
        RequestError: the folder is no isoglot student, it had no teacher, or a value is wrong.
    """
    if not (student / CARD).is_file():
        raise RequestError(f"{student} has no {CARD}: it is not a student.", "Make one with isoglot distil.")
    card = read_json(student / CARD)
    if "teacher" not in card:
        raise RequestError(
            f"{student} was trained without a teacher, with the objective {card['objective']['kind']}.",
            "Only a distilled student learns on; name this one as the student of a new distillation.",
        )
    raw: dict[str, Any] = {
        "name": "further",
        "teacher": dict(card["teacher"]["options"]),
        "student": {
            "model": str(student),
            "further": True,
            "kind": _kind_of(student),
            "dims": [int(width) for width in card.get("truncate_dims", {})],
        },
        "corpus": {"sources": list(sources)},
        "train": {**train, "protect": list(card["languages"])},
    }
    raw["student"]["dims"].sort(reverse=True)
    return parse_recipe(with_overrides(raw, overrides), "options")


def _kind_of(student: Path) -> str:
    first = read_json(student / "modules.json")[0]["type"].rsplit(".", 1)[-1]
    return _KINDS.get(first, "transformer")


def load_further(located: Located, config: StudentConfig) -> tuple[Encoder, Shape]:
    """Load a finished student to train on, in the recipe's arithmetic, with its own shape beside it.

    Raises:
        RequestError: it is no isoglot student, or of another kind than the recipe says.
    """
    if not (located.folder / CARD).is_file():
        raise RequestError(
            f"{located.label} has no {CARD}: it is not a student.", "Leave out student.further."
        )
    kind = _kind_of(located.folder)
    if kind != config.kind:
        raise RequestError(
            f"{located.label} is a {kind} student, and student.kind says {config.kind}.",
            f"A student that learns on keeps its kind: say {kind}, or nothing with --from.",
        )
    student = load_encoder(located.folder, precision=config.precision)
    return student, student.model.shape


def lend_axes(student: Path, store: Path) -> None:
    """Give a new store the axes of a student whose teacher's space is reduced: fitted anew they would be others."""
    if (student / AXES).is_file() and not (store / HEADER).is_file() and not (store / AXES).is_file():
        store.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(student / AXES, store / AXES)


def further_start(
    folder: Path,
    recipe: Recipe,
    located: Located,
    student: Encoder,
    test: tuple[HeldOut, Reference],
    inputs: Mapping[str, str],
    progress: Progress,
) -> Start:
    """Score a finished student before it learns on, or read the scores when `folder` has them.

    `inputs` are digests of corpus, teacher space and test sets, as a warm start has them.

    Raises:
        RequestError: it does not live in the space of the vectors in the store.
    """
    held_out, reference = test
    space = reference.spaces["teacher space"]
    own = str(read_json(located.folder / CARD)["teacher"]["space"]["fingerprint"])
    if own != space:
        raise RequestError(
            f"{located.label} lives in the space {own[:12]}, and the teacher's is {space[:12]}.",
            "Give the teacher that it was distilled from.",
        )
    evaluate = recipe.evaluate.model_dump(exclude={"benchmarks", "keep_leaks"})  # their digest is in `inputs`
    config = {"evaluate": evaluate, "precision": student.precision}
    manifest = Manifest("warm start", {**inputs, "student": folder_digest(located.folder)}, config)
    if not is_current(folder, manifest):
        with publish(folder, manifest) as scratch:
            rows = scores_of(student, held_out, reference, progress)
            plain = {tag: dataclasses.asdict(one) for tag, one in rows.items()}
            (scratch / _SCORES).write_text(json.dumps(plain, indent=2))
    scores = {tag: StageScores(**values) for tag, values in read_json(folder / _SCORES).items()}
    return Start(student, read_manifest(folder).digest, 0, {"before": scores})


def scores_of(
    student: Encoder, test: HeldOut, reference: Reference, progress: Progress
) -> dict[str, StageScores]:
    """Score a student on held-out test sentences, language by language."""
    vectors = encode(student, test, progress)
    return score_languages(vectors, reference.vectors(test.pool), test, reference.searched(test.pool))


def change(
    student: Path, start: Start, test: HeldOut, reference: Reference, progress: Progress
) -> dict[str, tuple[float, float]]:
    """Retrieval against the teacher on the test split, before and after: language -> two accuracies, 0..1."""
    after = scores_of(load_encoder(student), test, reference, progress)
    before = start.scores["before"]
    return {tag: (before[tag].to_teacher or 0.0, after[tag].to_teacher or 0.0) for tag in after}
