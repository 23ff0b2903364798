"""The student folder of a run without a teacher: what `isoglot.json` says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from isoglot.artefact import digest_json
from isoglot.pipeline.compared.material import Learnt, Material, Stage
from isoglot.pipeline.compared.start import what_it_is
from isoglot.student import folder as student_folder
from isoglot.train.validation import gained


def publish_student(
    learnt: Learnt, material: Material, stage: Stage, inputs: Mapping[str, str]
) -> dict[str, Any]:
    """Write the student folder and return its card.

    Args:
        learnt: the trained student.
        material: what it learned from.
        stage: recipe and folder.
        inputs: for the manifest; equal inputs need no new student.
    """
    card = card_of(learnt, material, stage)
    notice = "\n\n".join(part.strip() for part in _notices(learnt, material) if part.strip())
    provenance = student_folder.Provenance(
        card, f"This model was made with isoglot from:\n\n{notice}", inputs
    )
    origin = Path() if material.origin is None else material.origin.folder
    student_folder.save(learnt.student, origin, stage.folder.student, provenance)
    return card


def card_of(learnt: Learnt, material: Material, stage: Stage) -> dict[str, Any]:
    """What `isoglot.json` holds; a teacher's space is not in it."""
    recipe, parallel = stage.recipe, material.parallel
    kind = recipe.objective.kind
    options = {} if kind == "none" else getattr(recipe.objective, kind).model_dump(mode="json")
    done = None if learnt.outcome is None else learnt.outcome.progressed
    return {
        "isoglot": version("isoglot"),
        "objective": {"kind": kind, "options": options, **learnt.record},
        "start": what_it_is(material.origin, recipe),
        "languages": [] if parallel is None else list(parallel.corpus.languages),
        "recipe": digest_json(recipe.model_dump(mode="json")),
        "corpus": "none" if parallel is None else parallel.corpus.manifest.digest,
        "leaks": dict(learnt.leaks if parallel is None else parallel.leaks or learnt.leaks),
        "seed": recipe.seed,
        "shipped": "untouched" if learnt.steps == 0 or (done and not done.best_step) else "trained",
        "why": _why(learnt, kind),
        "shipped_step": learnt.steps if done is None else done.best_step,
        "steps": learnt.steps,
        "minutes": round(learnt.minutes, 2),
        "dev": [] if done is None else [dataclasses.asdict(point) for point in done.curve],
    }  # fmt: skip


def _why(learnt: Learnt, kind: str) -> str:
    if kind == "none":
        return "Nothing was trained: the start ships as it is, with its pooling."
    if learnt.outcome is None:
        return f"{learnt.steps} steps of {kind}; the weights of the last step ship."
    done, last = learnt.outcome.progressed, learnt.outcome.remark
    said = f" In training: {last}." if last else ""
    if done.schedule.steps == 0:
        return "No training was asked for: the start ships."
    if done.best_step == 0:
        return f"Training did not beat the start on the dev split in retrieval, so the start ships.{said}"
    return (
        f"Step {done.best_step} of {done.schedule.steps} was best on the dev split, student to student:"
        f" {gained(done.start, done.best)}.{said}"
    )


def _notices(learnt: Learnt, material: Material) -> list[str]:
    corpus = "" if material.parallel is None else material.parallel.corpus.notice
    start = "" if material.origin is None else material.origin.notice
    return [start, corpus, learnt.notice]
