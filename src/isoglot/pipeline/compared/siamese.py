"""SBERT as a stage: NLI first, then graded pairs; a phase leaves a folder, and a run goes on at the last whole one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isoglot.artefact import Manifest, digest_json, discard_leftovers, is_current, publish, read_manifest
from isoglot.corpus.benchmarks.record import Inference, Similarity
from isoglot.corpus.languages import parse
from isoglot.evaluate.retrieval import pair_cosines
from isoglot.evaluate.statistics import spearman
from isoglot.objective.siamese.columns import entailed, graded, labelled, sizes
from isoglot.objective.siamese.trainer import Phase, require_trainer, train_phase
from isoglot.pipeline.compared.material import Learnt, Material, Stage
from isoglot.pipeline.compared.sentence_pairs import (
    Graded,
    drawn,
    notice_of,
    read_graded,
    read_nli,
    without_leaks,
)
from isoglot.pipeline.leaks import open_reported
from isoglot.student import folder as student_folder

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder


@dataclass(frozen=True)
class Lesson:
    """Phases in the order in which they are learned, and what is only looked at.

    Attributes:
        phases: NLI, graded pairs, or both.
        dev: graded pairs whose scores are compared with the cosines before and after each phase; may be empty.
        leaks: the card's record of the test sets that will be reported, as of parallel text.
    """

    phases: tuple[Phase, ...]
    dev: Sequence[Similarity]
    leaks: Mapping[str, Any]


def learn_siamese(material: Material, stage: Stage) -> Learnt:
    """Train the recipe's encoder on NLI and then on graded pairs, as far as the recipe names them.

    A phase that was cut off is done again from its beginning, and gives what it would have given.

    Raises:
        RequestError: sentence-transformers cannot train here, or a path holds no such data.
        DamagedError: a file is damaged.
    """
    require_trainer()
    lesson = read_lesson(stage)
    folder = _begin(material, stage)
    scores = {"start": _agreement(folder, lesson.dev)}
    done: list[Mapping[str, Any]] = []
    for number, phase in enumerate(lesson.phases, start=1):
        folder = _learn(folder, stage.folder.training / f"{number}-{phase.name}", phase, stage)
        done.append(read_manifest(folder).counts)
        scores[phase.name] = _agreement(folder, lesson.dev)
        stage.progress.stage(phase.name, _line(done[-1], scores[phase.name]))
    record: dict[str, Any] = {"phases": done}
    if lesson.dev:
        record["dev_spearman"] = scores
    minutes, steps = sum(of["seconds"] for of in done) / 60, sum(of["steps"] for of in done)
    config = stage.recipe.objective.siamese
    notice = notice_of({"natural-language inference": config.nli, "graded sentence pairs": config.sts})
    return Learnt(_load(folder, stage), None, minutes, steps, record, notice, lesson.leaks)


def read_lesson(stage: Stage) -> Lesson:
    """Read NLI and graded pairs of the recipe's language, without pairs of the test sets that will be reported.

    With `evaluate.keep_leaks` these pairs stay, and the record says so.

    Raises:
        RequestError: a path holds none.
        DamagedError: a file is damaged.
    """
    recipe, config = stage.recipe, stage.recipe.objective.siamese
    language, keep = parse(config.language), recipe.evaluate.keep_leaks
    reported = open_reported(recipe.evaluate)
    nli: Sequence[Inference] = read_nli(config.nli, language) if config.nli else []
    if keep:
        nli = drawn(nli, config.max_pairs, recipe.seed)  # only what is learned from can leak
    pairs = read_graded(config.sts, language) if config.sts else Graded([], [])
    clean_nli, nli_leaks = without_leaks(nli, reported, language)
    clean_pairs, pair_leaks = without_leaks(pairs.train, reported, language)
    phases = []
    if config.nli:
        chosen = drawn(nli if keep else clean_nli, config.max_pairs, recipe.seed)
        tables = labelled(chosen) if config.loss == "softmax" else entailed(chosen)
        phases.append(_phase(stage, "nli", tables))
    if config.sts:
        phases.append(_phase(stage, "sts", graded(pairs.train if keep else clean_pairs)))
    leaking = len(nli) + len(pairs.train) - len(clean_nli) - len(clean_pairs)
    counts = {name: nli_leaks[name] + pair_leaks[name] for name in nli_leaks}
    record = {"kept": keep, "pairs": leaking, "test_sets": _test_sets(counts, kept=keep)} if reported else {}
    return Lesson(tuple(phases), pairs.dev, record)


def _test_sets(leaks: Mapping[str, int], *, kept: bool) -> dict[str, dict[str, Any]]:
    """Test set -> training pairs with a sentence of it, which are no translations, and whether they stayed."""
    return {
        name: {"sources": count, "translations": 0, "contaminated": kept and count > 0}
        for name, count in leaks.items()
    }


def _phase(stage: Stage, name: str, tables: Mapping[str, Any]) -> Phase:
    config = stage.recipe.objective.siamese
    of_nli = name == "nli"
    return Phase(
        name=name,
        loss=config.loss if of_nli else "cosine",
        tables=tables,
        epochs=config.epochs if of_nli else config.sts_epochs,
        batch=config.batch if of_nli else config.sts_batch,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        scale=config.scale,
        seed=stage.recipe.seed,
        precision=stage.recipe.student.precision,
    )


def _begin(material: Material, stage: Stage) -> Path:
    """Write the untouched student as a folder that sentence-transformers loads, or leave the one that is there."""
    target = stage.folder.training / "start"
    inputs = {"request": stage.request}
    if not is_current(target, Manifest("student", inputs, {"start": stage.recipe.student.model})):
        card = {"start": stage.recipe.student.model}
        provenance = student_folder.Provenance(card, "", inputs)
        origin = Path() if material.origin is None else material.origin.folder
        student_folder.save(material.student(), origin, target, provenance)
    return target


def _learn(start: Path, target: Path, phase: Phase, stage: Stage) -> Path:
    """Train a phase into a folder, or leave the folder when it already is the answer."""
    options = {field.name: getattr(phase, field.name) for field in fields(phase) if field.name != "tables"}
    inputs = {"start": read_manifest(start).digest, "tables": digest_json(dict(phase.tables))}
    counts: dict[str, Any] = {}  # filled in after training, written by publish
    manifest = Manifest("siamese phase", inputs, options, counts)
    discard_leftovers(target)
    if not is_current(target, manifest):
        with publish(target, manifest) as scratch:
            trained = train_phase(start, phase, scratch, stage.progress)
            counts.update(
                {"phase": phase.name, "loss": phase.loss, "rows": sizes(phase.tables), **asdict(trained)}
            )
    return target


def _load(folder: Path, stage: Stage) -> Encoder:
    from isoglot.encode.encoder import load_encoder

    return load_encoder(folder, precision=stage.recipe.student.precision)


def _agreement(folder: Path, pairs: Sequence[Similarity]) -> float | None:
    """Spearman's correlation of cosines and people's scores; None without pairs."""
    from isoglot.encode.encoder import load_encoder

    if not pairs:
        return None
    encoder = load_encoder(folder)
    first, second = (encoder.encode([str(pair[side]) for pair in pairs]) for side in (0, 1))
    return spearman(pair_cosines(first, second), np.array([pair.score for pair in pairs]))


def _line(trained: Mapping[str, Any], score: float | None) -> str:
    rows = " and ".join(f"{count:,} {name}" for name, count in trained["rows"].items())
    said = "" if score is None else f"; Spearman on dev {score:.3f}"
    return f"{trained['loss']} on {rows}, {trained['steps']} steps in {trained['seconds'] / 60:.1f} min{said}"
