"""All stages of a recipe without a teacher, in order; a finished stage is skipped, an interrupted one goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from isoglot.artefact import digest_file, digest_json, discard_leftovers, read_manifest, write_json
from isoglot.compared_config import ComparedRecipe
from isoglot.disk import explaining_full_disk
from isoglot.encode.locate import folder_digest, locate
from isoglot.errors import RequestError
from isoglot.lock import exclusive
from isoglot.pipeline.compared.assess import evaluate_compared
from isoglot.pipeline.compared.material import Learnt, Material, Stage
from isoglot.pipeline.compared.parallel import parallel_text
from isoglot.pipeline.compared.publish import publish_student
from isoglot.pipeline.compared.sentence_pairs import HUB, digest_of_hub
from isoglot.pipeline.compared.start import untouched, what_it_is
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.leaks import open_reported
from isoglot.pipeline.run import Finished
from isoglot.progress import SILENT, Progress
from isoglot.student.folder import CARD


def run_compared(recipe: ComparedRecipe, out: Path, progress: Progress = SILENT) -> Finished:
    """Do all stages of a recipe without a teacher.

    Args:
        recipe: what to do.
        out: the run folder.
        progress: where to report.

    Raises:
        RequestError: the recipe asks for something that cannot be.
        IsoglotError: a stage failed; the next run continues there.
    """
    folder = RunFolder(out)
    with exclusive(out), explaining_full_disk(out):
        for part in (folder.corpus, folder.rows, folder.student):
            discard_leftovers(part)
        write_json(folder.recipe, recipe.model_dump(mode="json"))
        material, inputs = _prepare(folder, recipe, progress)
        stage = Stage(recipe, folder, digest_json(inputs), progress)
        card = _learn(material, stage, inputs)
        progress.stage("training", f"{card['steps']} steps in {card['minutes']:.1f} min; {card['why']}")
        scores = evaluate_compared(folder, recipe, material.parallel, progress)
        if scores is not None:
            progress.stage("evaluation", scores["summary"])
    return Finished(folder, card, scores)


def _prepare(
    folder: RunFolder, recipe: ComparedRecipe, progress: Progress
) -> tuple[Material, dict[str, str]]:
    """Text and start, and the digests of all that shapes the student."""
    benchmarks = open_reported(recipe.evaluate)
    further = _further_data(recipe)
    origin = locate(recipe.student.model) if recipe.student.model else None
    progress.stage("start", what_it_is(origin, recipe))
    kind = recipe.objective.kind
    # without training, and where sentence-transformers trains, nobody learns from parallel text
    parallel = parallel_text(
        folder, recipe, benchmarks if kind in ("ranking", "translation") else (), progress
    )
    material = Material(parallel, origin, lambda: untouched(origin, recipe, folder.rows, progress))
    options = recipe.model_dump(mode="json", include={"objective", "student", "seed"})
    inputs = {"options": digest_json({**options, "train": recipe.train.shaping()}), **further}
    if origin is not None:
        inputs["start"] = folder_digest(origin.folder)
    if kind == "siamese" and benchmarks:
        reported = [benchmark.digest for benchmark in benchmarks]
        inputs["benchmarks"] = digest_json([recipe.evaluate.keep_leaks, reported])
    if parallel is not None:
        inputs |= {
            "corpus": parallel.corpus.manifest.digest, "dev": parallel.dev.digest, **parallel.inputs,
        }  # fmt: skip
    return material, inputs


def _further_data(recipe: ComparedRecipe) -> dict[str, str]:
    """Digests of the data that an objective reads beside parallel text: option -> sha256.

    Raises:
        RequestError: it is not there.
    """
    of = recipe.objective
    named = {
        "objective.ranking.nli": of.ranking.nli,
        "objective.ranking.responses": of.ranking.responses,
        "objective.siamese.nli": of.siamese.nli,
        "objective.siamese.sts": of.siamese.sts,
    }
    return {option: _digest_of(text, option) for option, text in named.items() if text}


def _digest_of(text: str, option: str) -> str:
    if text.startswith(HUB):
        return digest_of_hub(text)
    path = Path(text).expanduser()
    if not path.exists():
        raise RequestError(f"{option}: {path} is not there.", "Name a file or folder.")
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return digest_json([[str(file.relative_to(path)), digest_file(file)] for file in files])


def _learn(material: Material, stage: Stage, inputs: Mapping[str, str]) -> Mapping[str, Any]:
    """Train the student and publish it, or leave it when the folder already answers this request."""
    target = stage.folder.student
    if (target / CARD).is_file() and read_manifest(target).inputs == dict(inputs):
        return read_manifest(target).config
    return publish_student(_learner(stage.recipe.objective.kind)(material, stage), material, stage, inputs)


def _learner(kind: str) -> Callable[[Material, Stage], Learnt]:
    if kind == "ranking":
        from isoglot.pipeline.compared.ranking import learn_ranking

        return learn_ranking
    if kind == "translation":
        from isoglot.pipeline.compared.translation import learn_translation

        return learn_translation
    if kind == "siamese":
        from isoglot.pipeline.compared.siamese import learn_siamese

        return learn_siamese
    return _nothing


def _nothing(material: Material, _stage: Stage) -> Learnt:
    """Mean pooling without training."""
    return Learnt(material.student(), None, minutes=0.0, steps=0)
