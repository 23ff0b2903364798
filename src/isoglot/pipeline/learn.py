"""Training as a stage: from the warm start to the published student folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from isoglot.artefact import digest_json, read_json, read_manifest, verify
from isoglot.config import Recipe
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import Encoder
from isoglot.encode.locate import Located
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.stages import dev_score, prefix_retrieval
from isoglot.objective.distillation.batches import language_shares
from isoglot.objective.distillation.examples import Examples
from isoglot.objective.distillation.objective import Distillation
from isoglot.objective.texts import ParallelTexts
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.reference import Reference
from isoglot.pipeline.start import Start
from isoglot.progress import Progress
from isoglot.student import folder as student_folder
from isoglot.student.vocabulary import SubVocabulary
from isoglot.teacher.axes import AXES
from isoglot.teacher.kinds import Credit
from isoglot.train.loop import Outcome, Run, train
from isoglot.train.team import ALONE, Team
from isoglot.train.validation import gained, harmed

_NAMED = 4  # largest, and as many smallest, shares that the line before training names


@dataclass(frozen=True)
class Material:
    """What the stages before training gave; `leaks` is the card's record of the test sets to be reported."""

    corpus: Corpus
    reference: Reference
    teacher: Credit
    origin: Located
    examples: Examples
    dev: HeldOut
    leaks: Mapping[str, Any]


def learn(
    run: RunFolder,
    recipe: Recipe,
    material: Material,
    start: Start,
    progress: Progress,
    team: Team = ALONE,
) -> Mapping[str, Any]:
    """Train the student and publish it, or leave it when `run.student` already answers this request.

    Of a team every process trains and the first one publishes; the others wait for it.

    Returns:
        The card of the published student (its isoglot.json).

    Raises:
        RequestError: several processes cannot share the batches of a step.
        IsoglotError: memory ran out, another process is gone, or the best weights are damaged.
    """
    inputs = {
        "corpus": material.corpus.manifest.digest, "warm start": start.digest,
        **material.reference.spaces,
    }  # fmt: skip
    options = {"train": recipe.train.shaping(), "dims": recipe.student.dims, "seed": recipe.seed}
    request = digest_json({"inputs": inputs, **options})
    wanted = {**inputs, "request": request}
    if _is_finished(run, wanted):
        return read_manifest(run.student).config
    shares = language_shares(material.examples, recipe.train, recipe.seed)
    progress.stage("mixing", _mixing(shares, recipe.train.temperature))
    if unseen := _unseen(recipe, material):
        progress.stage("protected", unseen)
    outcome = _train(run, recipe, material, start, (request, team), progress)
    if team.first:
        _publish(run, recipe, material, start, (outcome, shares, wanted))
    team.meet()
    return read_manifest(run.student).config


def _is_finished(run: RunFolder, wanted: Mapping[str, str]) -> bool:
    """Whether the student is there, whole, and answers this request."""
    if not (run.student / student_folder.CARD).is_file():
        return False
    return read_manifest(run.student).inputs == wanted and not verify(run.student)


def _publish(
    run: RunFolder,
    recipe: Recipe,
    material: Material,
    start: Start,
    learned: tuple[Outcome, Mapping[str, float], Mapping[str, str]],
) -> None:
    """Write the student's folder: how it was trained, the shares of the languages, what it was made from."""
    outcome, shares, wanted = learned
    searched = material.reference.searched(material.dev.pool)
    pool = material.reference.vectors(material.dev.pool) if searched is None else searched
    widths = prefix_retrieval(start.student, pool, material.dev, recipe.student.dims)
    card = {**_card(recipe, material, outcome), "shares": shares, "truncate_dims": widths}
    axes = material.reference.targets.folder / AXES
    provenance = student_folder.Provenance(card, _notice(material), wanted, (axes,) if axes.is_file() else ())
    student_folder.save(start.student, material.origin.folder, run.student, provenance)


def _train(
    run: RunFolder,
    recipe: Recipe,
    material: Material,
    start: Start,
    who: tuple[str, Team],
    progress: Progress,
) -> Outcome:
    """Train with only the embedding rows in use, and put the full vocabulary back at the end."""
    student, dev = start.student, material.dev
    request, team = who
    targets, documents = material.reference.vectors(dev.pool), material.reference.searched(dev.pool)
    vocabulary = vocabulary_in_use(student, material.examples, dev)
    examples = dataclasses.replace(material.examples, tokens=vocabulary.remap(material.examples.tokens))
    try:
        return train(
            Run(
                student=student,
                objective=Distillation(examples, recipe.train, recipe.seed, recipe.student.dims),
                validate=lambda encoder: dev_score(encoder, targets, dev, recipe.seed, documents),
                config=recipe.train,
                seed=recipe.seed,
                folder=run.training,
                request=request,
                team=team,
            ),
            progress,
        )
    finally:
        vocabulary.restore(student.model)
        student.remap = None


def vocabulary_in_use(student: Encoder, examples: ParallelTexts, dev: HeldOut) -> SubVocabulary:
    """Leave only the embedding rows in a student that training and its looks at the dev split use."""
    seen = student.tokenizer(dev.queries, student.model.shape.prompt)
    pad = np.array([student.tokenizer.pad_id])
    vocabulary = SubVocabulary(student.model, np.concatenate([examples.tokens.ids, seen.ids, pad]))
    student.remap = vocabulary.remap
    return vocabulary


def _mixing(shares: Mapping[str, float], temperature: float) -> str:
    """Say in one line how the languages are mixed: the largest and the smallest shares."""
    ordered = sorted(shares, key=lambda tag: (-shares[tag], tag))
    shown = [f"{tag} {shares[tag]:.1%}" for tag in ordered]
    if len(shown) > 2 * _NAMED:
        shown = [*shown[:_NAMED], "...", *shown[-_NAMED:]]
    return f"shares of {len(ordered)} languages at temperature {temperature:g}: {', '.join(shown)}"


def _unseen(recipe: Recipe, material: Material) -> str:
    """Name protected languages without dev sentences; empty when there are none."""
    unseen = sorted({*recipe.train.protect} - {*material.dev.languages})
    return f"{', '.join(unseen)}: no dev sentences, so nothing shows whether they get worse" if unseen else ""


def _card(recipe: Recipe, material: Material, outcome: Outcome) -> dict[str, Any]:
    done = outcome.progressed
    return {
        "isoglot": version("isoglot"),
        "teacher": {
            "label": material.teacher.label,
            "space": dict(material.reference.targets.space),
            "options": recipe.teacher.model_dump(mode="json"),
        },
        "start": material.origin.label,
        "languages": _languages(recipe, material),
        "recipe": digest_json(recipe.model_dump(mode="json")),
        "corpus": material.corpus.manifest.digest,
        "leaks": dict(material.leaks),
        "seed": recipe.seed,
        "shipped": "trained" if done.best_step else "warm start",
        "why": _why(outcome, recipe, material),
        "shipped_step": done.best_step,
        "steps": done.schedule.steps,
        "minutes": round(done.seconds / 60, 2),
        "dev": [dataclasses.asdict(point) for point in done.curve],
    }


def _languages(recipe: Recipe, material: Material) -> list[str]:
    """Those of the corpus, and for a student that learned on those that it knew."""
    known = (
        read_json(material.origin.folder / student_folder.CARD)["languages"] if recipe.student.further else []
    )
    return sorted({*known, *material.corpus.languages})


def _why(outcome: Outcome, recipe: Recipe, material: Material) -> str:
    done = outcome.progressed
    start = "student as it was" if recipe.student.further else "warm start"
    last = f" In training: {outcome.remark}." if outcome.remark else ""
    if unseen := _unseen(recipe, material):
        last += f" Protected languages: {unseen}."
    worse = harmed(done.curve[-1].score, done.start, recipe.train.protect, recipe.train.protect_margin)
    if worse:
        last = f" At the end {', '.join(worse)} had become worse, which train.protect forbids.{last}"
    if done.schedule.steps == 0:
        return f"No training was asked for: the {start} ships."
    if done.best_step == 0:
        return (
            f"Training did not beat the {start} on the dev split in retrieval and Spearman, so the {start} ships."
            + last
        )
    return (
        f"Step {done.best_step} of {done.schedule.steps} was best on the dev split: {gained(done.start, done.best)}."
        + last
    )


def _notice(material: Material) -> str:
    parts = [material.teacher.notice, material.origin.notice, material.corpus.notice]
    return "This model was made with isoglot from:\n\n" + "\n\n".join(
        part.strip() for part in parts if part.strip()
    )
