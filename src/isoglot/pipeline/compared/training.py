"""The loop for a student without a teacher: its vocabulary cut to what is in use, and a look at the dev split."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.config import TrainConfig
from isoglot.encode.tokens import Tokens
from isoglot.errors import RequestError
from isoglot.objective.protocol import Objective
from isoglot.pipeline.compared.look import own_dev_score
from isoglot.pipeline.compared.material import Material, Stage
from isoglot.student.vocabulary import SubVocabulary
from isoglot.train.loop import Outcome, Run, train

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder

Remap = Callable[[Tokens], Tokens]


def train_student(
    student: Encoder,
    ids: NDArray[np.integer[Any]],
    make: Callable[[Remap], Objective[Any]],
    material: Material,
    stage: Stage,
    part: str = "training",
    config: TrainConfig | None = None,
) -> Outcome:
    """Train a student in place; it has its full vocabulary before and after, and the best weights after.

    Args:
        student: the encoder, full vocabulary.
        ids: ids of all tokens that the objective's texts use, as the student's tokenizer gives them.
        make: gives the objective, its tokens renumbered by the function that it is given.
        material: whose dev split is looked at.
        stage: recipe, folder, request and where to report.
        part: name of this training and of the folder of its checkpoints, where an objective has several.
        config: options of this part; None: the recipe's.

    Raises:
        RequestError: there is no parallel text to choose weights on.
    """
    if material.parallel is None:
        raise RequestError("There is no parallel text to look at while training.", "Give corpus.sources.")
    dev = material.parallel.dev
    options = config or stage.recipe.train
    # what learns beside the student begins with random weights, unlike the Dense layers of a distilled one
    options = options.model_copy(update={"head_learning_rate": options.learning_rate})
    seen = student.tokenizer([*dev.queries, *dev.pool], student.model.shape.prompt)
    pad = np.array([student.tokenizer.pad_id])
    vocabulary = SubVocabulary(student.model, np.concatenate([ids, seen.ids, pad]))
    student.remap = vocabulary.remap
    try:
        run = Run(
            student=student,
            objective=make(vocabulary.remap),
            validate=lambda encoder: own_dev_score(encoder, dev),
            config=options,
            seed=stage.recipe.seed,
            folder=stage.folder.root / part,
            request=digest_json([stage.request, part, options.shaping()]),
        )
        return train(run, stage.progress)
    finally:
        vocabulary.restore(student.model)
        student.remap = None
