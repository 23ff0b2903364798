"""LASER as a stage: a vocabulary of the training texts, an encoder and a decoder over it, and the loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from isoglot.corpus.languages import parse
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import HeldOut
from isoglot.objective.translation.encoder import new_encoder
from isoglot.objective.translation.objective import Translation, new_objective, translate
from isoglot.objective.translation.turns import TranslationTexts, translation_texts
from isoglot.objective.translation.vocabulary import learn_vocabulary
from isoglot.pipeline.compared.material import Learnt, Material, Parallel, Stage
from isoglot.pipeline.compared.training import Remap, train_student
from isoglot.train.weights import translation_weights

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder

VOCABULARY = "vocabulary"  # its folder in the run folder
_SHOWN = 5  # languages of which the card shows a translated dev sentence


def learn_translation(material: Material, stage: Stage) -> Learnt:
    """Train an encoder by translating out of its vectors into the languages of `objective.translation.targets`.

    Raises:
        RequestError: there is no parallel text, or none in one of these languages.
    """
    if material.parallel is None:
        raise RequestError("There is no parallel text to translate.", "Give corpus.sources.")
    recipe, parallel = stage.recipe, material.parallel
    student = _own(parallel, stage) if material.origin is None else material.student()
    texts = _texts(parallel, student, stage)
    made: list[Translation] = []

    def make(remap: Remap) -> Translation:
        read = dataclasses.replace(texts.read, tokens=remap(texts.read.tokens))
        pairs = dataclasses.replace(texts, read=read)
        made.append(new_objective(pairs, recipe.objective.translation, recipe.train, recipe.seed, student))
        return made[-1]

    outcome = train_student(student, texts.read.tokens.ids, make, material, stage)
    record = {
        "vocabulary": student.tokenizer.backend.get_vocab_size(),
        "written_pieces": len(texts.alphabet),
        "translations": _shown(made[-1], student, parallel.dev),
    }
    done = outcome.progressed
    return Learnt(student, outcome, done.seconds / 60, done.step, record)


def _own(parallel: Parallel, stage: Stage) -> Encoder:
    """Make the encoder over a vocabulary of the training texts.

    Raises:
        RequestError: the recipe asks for a student of another kind, which needs a model to start from.
    """
    recipe, config = stage.recipe, stage.recipe.objective.translation
    if recipe.student.kind != "lstm":
        raise RequestError(
            f"A {recipe.student.kind} student cannot begin with nothing.",
            'Set student.kind = "lstm" (LASER\'s encoder), or name a student.model whose tokenizer it takes.',
        )
    known = parallel.train.sources + parallel.train.targets
    vocabulary = learn_vocabulary(stage.folder.root / VOCABULARY, known, config.vocabulary, stage.progress)
    stage.progress.stage("vocabulary", f"{vocabulary.get_vocab_size():,} pieces of {len(known):,} texts")
    return new_encoder(vocabulary, recipe.student, config.embedding, recipe.seed)


def _texts(parallel: Parallel, student: Encoder, stage: Stage) -> TranslationTexts:
    recipe, train = stage.recipe, parallel.train
    texts = translation_texts(
        train,
        student.tokenizer,
        student.model.shape.prompt,
        str(parallel.corpus.manifest.config["source_lang"]),
        [parse(tag) for tag in recipe.objective.translation.targets],
        translation_weights(train, recipe.train),
    )
    sizes = [(texts.target == number).sum() for number in range(len(texts.targets))]
    counted = ", ".join(f"{size:,} {tag}" for tag, size in zip(texts.targets, sizes, strict=True))
    stage.progress.stage("targets", f"of {len(texts.read.texts):,} texts {counted} can be written")
    return texts


def _shown(objective: Translation, student: Encoder, dev: HeldOut) -> list[Mapping[str, Any]]:
    """Translate one dev sentence of some languages, for people to look at."""
    chosen = [int(dev.rows_of(number)[0]) for number in range(min(_SHOWN, len(dev.languages)))]
    texts = [dev.queries[row] for row in chosen]
    written = {target: translate(objective, student, texts, target) for target in objective.pairs.targets}
    return [
        {
            "language": dev.languages[int(dev.language[row])],
            "text": dev.queries[row],
            "original": dev.pool[int(dev.gold[row])],
            "written": {target: written[target][place] for target in written},
        }
        for place, row in enumerate(chosen)
    ]
