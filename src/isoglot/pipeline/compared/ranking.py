"""Translation ranking as a stage, in the published steps: a preliminary model, its hard negatives, the final model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.config import EvaluateConfig, TrainConfig
from isoglot.corpus.benchmarks.record import LABELS, Inference
from isoglot.corpus.split import key
from isoglot.errors import RequestError
from isoglot.objective.ranking.batches import with_data
from isoglot.objective.ranking.negatives import kept_negatives
from isoglot.objective.ranking.objective import new_objective
from isoglot.objective.ranking.texts import RankingTexts, ranking_texts, read_responses
from isoglot.objective_config import RankingConfig
from isoglot.pipeline.compared.material import Learnt, Material, Stage
from isoglot.pipeline.compared.sentence_pairs import notice_of, read_nli
from isoglot.pipeline.compared.training import Remap, train_student
from isoglot.pipeline.leaks import open_reported
from isoglot.train.loop import Outcome
from isoglot.train.weights import translation_weights

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder

PRELIMINARY = "preliminary"
NEGATIVES = "negatives"


def learn_ranking(material: Material, stage: Stage) -> Learnt:
    """Train a dual encoder: with random negatives, then anew from the same start with hard ones.

    The preliminary model gets `objective.ranking.preliminary` of the epochs or minutes, and is kept in its checkpoints
    alone; the hard negatives are an artefact of the run folder. Without hard negatives, or without any training, there
    is one training.

    Raises:
        RequestError: the data of a task cannot be used, or there is no parallel text.
        DamagedError: they are damaged.
    """
    config, train = stage.recipe.objective.ranking, stage.recipe.train
    student = material.student()
    texts = _texts(material, stage, student)
    if not config.hard_negatives or train.epochs == 0:
        outcome = _train(student, texts, material, stage)
        return _learnt(student, texts, config, [outcome], {})
    shorter, longer = (_part(train, share) for share in (config.preliminary, 1 - config.preliminary))
    preliminary = _train(student, texts, material, stage, shorter, PRELIMINARY)
    negatives = kept_negatives(
        stage.folder.root / NEGATIVES, student, texts, config.hard_negatives, stage.progress
    )
    found = {"pairs": len(negatives), "mined": int((negatives >= 0).sum())}
    stage.progress.stage("hard negatives", f"{found['mined']} for {found['pairs']} pairs")
    student = material.student()
    final = _train(student, texts, material, stage, longer, negatives=negatives)
    at_end = preliminary.progressed.best.retrieval
    record = {"hard_negatives": found, "preliminary_dev_retrieval": at_end}
    return _learnt(student, texts, config, [preliminary, final], record)


def _texts(material: Material, stage: Stage, student: Encoder) -> RankingTexts:
    """Read and tokenise what all tasks learn from."""
    if material.parallel is None:
        raise RequestError("There is no parallel text to rank.", "Give corpus.sources.")
    config = stage.recipe.objective.ranking
    groups = material.parallel.train
    nli = _labelled(config.nli) if config.nli else []
    responses = read_responses(Path(config.responses).expanduser()) if config.responses else []
    reported = _reported(stage.recipe.evaluate)
    texts = ranking_texts(
        groups,
        student.tokenizer,
        student.model.shape.prompt,
        translation_weights(groups, stage.recipe.train),
        nli=[row for row in nli if reported.isdisjoint(map(key, row[:2]))],
        responses=[row for row in responses if reported.isdisjoint(map(key, row))],
    )
    sizes, ratio = _sizes(texts), with_data(texts, config.batches)
    said = [f"{sizes[task]} pairs of {task}" for task in sizes if sizes[task]]
    turns = ":".join(str(share) for share in ratio.values())
    left_out = len(nli) + len(responses) - sizes["nli"] - sizes["responses"]
    leaks = f"; {left_out} of further tasks are in test sets and left out" if left_out else ""
    stage.progress.stage("tasks", f"{', '.join(said)}; batches {turns}{leaks}")
    return texts


def _labelled(text: str) -> list[Inference]:
    """Inferences of all languages; those that nobody could label, as MultiNLI has some, are left out.

    Raises:
        RequestError: none has a label.
    """
    rows = [row for row in read_nli(text, language=None) if row.label in LABELS]
    if not rows:
        raise RequestError(f"{text} holds no inference labelled {', '.join(LABELS)}.", "Give labelled pairs.")
    return rows


def _reported(config: EvaluateConfig) -> set[str]:
    """Normalised sentences of the test sets that will be reported; further tasks never learn from them.

    Leaks of parallel text may be kept, and the card then says so; it has no such record of further data.
    """
    return {key(text) for benchmark in open_reported(config) for _, text in benchmark.sentences()}


def _train(
    student: Encoder,
    texts: RankingTexts,
    material: Material,
    stage: Stage,
    train: TrainConfig | None = None,
    part: str = "training",
    negatives: NDArray[np.int64] | None = None,
) -> Outcome:
    """Train a student in place with the objective of one part."""
    import dataclasses

    recipe = stage.recipe
    options = train or recipe.train

    def make(remap: Remap) -> Any:  # noqa: ANN401  an objective of any kind of batch
        pairs = dataclasses.replace(texts, tokens=remap(texts.tokens))
        return new_objective(pairs, recipe.objective.ranking, options, recipe.seed, student, negatives)

    return train_student(student, texts.tokens.ids, make, material, stage, part, options)


def _part(train: TrainConfig, share: float) -> TrainConfig:
    """The options of a training that gets a share of the whole."""
    if train.minutes is not None:
        return train.model_copy(update={"minutes": train.minutes * share})
    return train.model_copy(update={"epochs": (1.0 if train.epochs is None else train.epochs) * share})


def _learnt(
    student: Encoder,
    texts: RankingTexts,
    config: RankingConfig,
    outcomes: list[Outcome],
    record: Mapping[str, Any],
) -> Learnt:
    done = [outcome.progressed for outcome in outcomes]
    return Learnt(
        student=student,
        outcome=outcomes[-1],
        minutes=sum(part.seconds for part in done) / 60,
        steps=sum(part.step for part in done),
        record={"tasks": _sizes(texts), **record},
        notice=notice_of(
            {"natural-language inference": config.nli, "questions and answers": config.responses}
        ),
    )


def _sizes(texts: RankingTexts) -> dict[str, int]:
    return {
        "translation": len(texts.group) - texts.sources,
        "nli": len(texts.nli),
        "responses": len(texts.responses),
    }
