"""All stages of a recipe, in order; a finished stage is skipped, an interrupted one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoglot.artefact import MANIFEST, discard_leftovers, write_json
from isoglot.compared_config import ComparedRecipe
from isoglot.config import Recipe, TeacherConfig
from isoglot.corpus.build import build
from isoglot.corpus.split import SPLITS
from isoglot.corpus.store import Corpus, Groups
from isoglot.disk import explaining_full_disk
from isoglot.encode.locate import locate
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import HeldOut, hold_out
from isoglot.lock import exclusive
from isoglot.objective.distillation.examples import collect
from isoglot.objective.paragraphs import LONGEST, with_paragraphs
from isoglot.pipeline.alone import evaluate_run
from isoglot.pipeline.assess import Held
from isoglot.pipeline.further import change, further_start, lend_axes, load_further
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.leaks import clear, open_reported
from isoglot.pipeline.learn import Material, learn
from isoglot.pipeline.reference import refer
from isoglot.pipeline.start import Start, load_start, warm_start
from isoglot.progress import SILENT, Progress
from isoglot.teacher.coverage import Covered, cover
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.store import Store
from isoglot.teacher.store_header import HEADER
from isoglot.train.team import Team, joined
from isoglot.train.weights import translation_weights


@dataclass(frozen=True)
class Finished:
    """What a run leaves: its folder, the student's card, and the held-out scores (None when not asked for).

    For a student that learned on, `change` holds each language's test retrieval before and after.
    """

    folder: RunFolder
    card: Mapping[str, Any]
    scores: Mapping[str, Any] | None
    change: Mapping[str, tuple[float, float]] | None = None


def run(
    recipe: Recipe,
    out: Path,
    *,
    evaluate: bool = True,
    store: Path | None = None,
    progress: Progress = SILENT,
) -> Finished:
    """Do all stages of a recipe; under torchrun several processes train the student together.

    Args:
        recipe: what to do.
        out: the run folder.
        evaluate: also score the student on held-out sentences and write the report.
        store: teacher store to use instead of the run's own.
        progress: where to report.

    Raises:
        RequestError: the recipe asks for something that cannot be.
        IsoglotError: a stage failed; the next run continues there.
    """
    folder = RunFolder(out)
    _refuse_own_student(recipe, folder)
    with joined(recipe.train.process_timeout) as team:
        if not team.first:
            return _help(folder, recipe, store or folder.store, team)
        return _lead(folder, recipe, store or folder.store, team, progress, evaluate=evaluate)


def _refuse_own_student(recipe: Recipe, folder: RunFolder) -> None:
    """Refuse to replace a student by what is made of it: the next run would begin with another one."""
    begins_from = [
        Path(name).expanduser().resolve() for name in (recipe.student.model, *recipe.teacher.models)
    ]
    if folder.student.resolve() in begins_from:
        raise RequestError(
            f"The run would replace {folder.student}, from which it begins.", "Choose another --out."
        )


def _help(folder: RunFolder, recipe: Recipe, store: Path, team: Team) -> Finished:
    """Train along with the first process of a team; what that one has made is only read."""
    with team.in_turn():
        material, start, _ = _prepare(folder, recipe, store, SILENT)
    return Finished(folder, learn(folder, recipe, material, start, SILENT, team), None)


def _lead(
    folder: RunFolder, recipe: Recipe, store: Path, team: Team, progress: Progress, *, evaluate: bool
) -> Finished:
    """Do all stages; what writes is done here, in the first process or the only one."""
    with exclusive(folder.root), explaining_full_disk(folder.root):
        for part in (folder.corpus, folder.rows, folder.start, folder.student):
            discard_leftovers(part)
        write_json(folder.recipe, recipe.model_dump(mode="json"))
        with team.in_turn():
            material, start, test = _prepare(folder, recipe, store, progress)
        card = learn(folder, recipe, material, start, progress, team)
        progress.stage("training", f"{card['steps']} steps in {card['minutes']:.1f} min; {card['why']}")
        changed = None
        if recipe.student.further:
            changed = change(folder.student, start, test, material.reference, progress)
        scores = None
        if evaluate:
            documents = material.reference.document_space(test.pool)
            held = Held(material.corpus, test, start.scores, documents)
            scores = evaluate_run(folder, recipe, held, material.reference.targets, progress)
            progress.stage("evaluation", scores["summary"])
    return Finished(folder, card, scores, changed)


def corpus_of(recipe: Recipe | ComparedRecipe, folder: Path, progress: Progress) -> Corpus:
    """Open the one corpus folder that the recipe names, or build a corpus from its sources.

    Raises:
        RequestError: several corpus folders, or folders among sources.
    """
    built = [source for source in recipe.corpus.sources if (Path(source) / MANIFEST).is_file()]
    if built and len(recipe.corpus.sources) > 1:
        raise RequestError(
            f"{built[0]} is a finished corpus folder among {len(recipe.corpus.sources)} sources.",
            "Give one corpus folder, or build one from all sources with isoglot corpus build.",
        )
    return Corpus.open(Path(built[0])) if built else build(recipe.corpus, folder, progress)


def _prepare(
    folder: RunFolder, recipe: Recipe, store_folder: Path, progress: Progress
) -> tuple[Material, Start, HeldOut]:
    """Models, corpus, teacher vectors, held-out texts and the warm start; the teacher itself is let go."""
    benchmarks = open_reported(recipe.evaluate)
    origin = locate(recipe.student.model)
    teacher, credit = open_teacher(recipe.teacher)
    progress.stage("models", f"teacher {credit.label}, student {origin.label}")
    corpus = corpus_of(recipe, folder.corpus, progress)
    covered = cover(corpus, teacher, recipe.teacher.missing)
    further = recipe.student.further
    if further:
        lend_axes(origin.folder, store_folder)
    store = _teacher_vectors(recipe.teacher, teacher, covered, store_folder, progress)
    student, own = (
        load_further(origin, recipe.student)
        if further
        else load_start(origin, recipe, folder.rows, progress, normalise=teacher.normalise)
    )
    cleared = clear(covered, benchmarks, progress, keep_leaks=recipe.evaluate.keep_leaks)
    train, store = _paragraphed(covered, cleared.train, recipe, (teacher, store), progress)
    weights = translation_weights(train, recipe.train)
    examples = collect(train, store, student.tokenizer, student.model.shape.prompt, weights)
    others = covered.sources("train")  # leaks among them too, so that the test pool does not depend on them
    dev = hold_out(cleared.dev, others, recipe.evaluate.pool, recipe.evaluate.dev_queries)
    test = hold_out(covered.groups("test"), others, recipe.evaluate.pool, recipe.evaluate.queries)
    refuse_empty(corpus, examples.sources, dev, test)
    reference = refer(recipe.teacher, store, [*dev.pool, *test.pool], folder.documents, progress)
    inputs = {"corpus": corpus.manifest.digest, **reference.spaces, **cleared.inputs}
    material = Material(corpus, reference, credit, origin, examples, dev, cleared.record)
    if recipe.train.paragraphs:
        inputs["paragraphs"] = str(recipe.train.paragraphs)
    if further:
        start = further_start(folder.start, recipe, origin, student, (test, reference), inputs, progress)
        progress.stage("warm start", f"none: {origin.label} goes on from where it is")
        return material, start, test
    start = warm_start(
        folder.start, recipe, origin, examples, (student, own), (test, reference), inputs, progress
    )
    progress.stage(
        "warm start", f"Dense layers fitted on {start.sentences} sentences of {len(examples.texts)}"
    )
    return material, start, test


def _teacher_vectors(
    config: TeacherConfig, teacher: Teacher, covered: Covered, folder: Path, progress: Progress
) -> Store:
    """Embed every source sentence that the teacher knows."""
    texts = covered.sources()
    before = Store.open(folder).rows if (folder / HEADER).is_file() else 0
    store = embed(texts, teacher, config, folder, progress)
    left_out = f", {len(covered.lacking)} left out without a vector" if covered.lacking else ""
    progress.stage(
        "teacher",
        f"{len(texts)} source sentences, {store.rows - before} newly embedded, {store.dimension}-d{left_out}",
    )
    return store


def _paragraphed(
    covered: Covered, groups: Groups, recipe: Recipe, space: tuple[Teacher, Store], progress: Progress
) -> tuple[Groups, Store]:
    """Add the short paragraphs that the recipe asks for to the train split, and embed their source sides."""
    teacher, store = space
    if not recipe.train.paragraphs:
        return groups, store
    beside = [covered.corpus.groups(split) for split in SPLITS]
    longer = with_paragraphs(groups, beside, recipe.train.paragraphs, recipe.seed)
    texts = longer.sources[len(groups.sources) :]
    if texts and teacher.missing(texts).any():
        raise RequestError(
            "The teacher has only finished vectors, and none of paragraphs.", "Leave out train.paragraphs."
        )
    store = embed(texts, teacher, recipe.teacher, store.folder, progress)
    progress.stage(
        "paragraphs",
        f"{len(texts)} of 2 to {LONGEST} sentences, {len(longer.targets) - len(groups.targets)} translations",
    )
    return longer, store


def refuse_empty(corpus: Corpus, groups: int, dev: HeldOut, test: HeldOut) -> None:
    """Refuse a corpus one of whose splits has no sentences.

    Raises:
        RequestError: which one it is.
    """
    for name, size in (("train", groups), ("dev", len(dev.queries)), ("test", len(test.queries))):
        if size == 0:
            raise RequestError(
                f"The {name} split of {corpus.folder} is empty.",
                "Give more sentences, or other --set corpus.dev_percent and corpus.test_percent.",
            )
