"""A small student of the training loop: sixty sentences, two languages, a random teacher."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

import tiny
from isoglot.config import TrainConfig
from isoglot.corpus.store import Groups
from isoglot.encode.encoder import load_encoder
from isoglot.encode.model import Dense
from isoglot.objective.distillation.examples import Examples
from isoglot.objective.distillation.objective import Distillation
from isoglot.train.loop import Run
from isoglot.train.validation import DevScore

CONFIG = TrainConfig(
    epochs=3, batch_tokens=256, learning_rate=1e-3, head_learning_rate=1e-3, contrast=0.0, evaluations=4
)
FLAT = DevScore(0.5, 0.5, 0.1, "de", 0.4, 20.0, 0.1)


def examples_for(student, teacher):
    sources = [tiny.sentence(number * 7) for number in range(60)]
    targets = [tiny.translation(language, text) for text in sources for language in ("de", "fr")]
    groups = Groups(
        sources,
        targets,
        np.repeat(np.arange(60), 2).astype(np.int32),
        np.tile([0, 1], 60).astype(np.int16),
        ("de", "fr"),
    )
    texts = groups.sources + groups.targets
    return Examples(
        texts=texts, tokens=student.tokenizer(texts), group=np.r_[np.arange(60), groups.group].astype(np.int32),
        language=np.r_[np.full(60, -1), groups.language].astype(np.int16), vectors=teacher.encode(sources),
        languages=groups.languages,
    )  # fmt: skip


def make_run(tiny_folder, folder, validate=None, config=CONFIG):
    torch.manual_seed(0)
    student = load_encoder(tiny_folder / "student", precision="fp32")
    student.model.dense.append(Dense(32, 24))
    student.model.shape = dataclasses.replace(student.model.shape, normalise=True)
    examples = examples_for(student, load_encoder(tiny_folder / "teacher"))
    rows = np.arange(60, 180, 7)

    def look(encoder):
        vectors = encoder.encode([examples.texts[row] for row in rows])
        error = float(np.square(vectors - examples.vectors[examples.group[rows]]).mean())
        return dataclasses.replace(FLAT, retrieval=1 - error, spearman=1 - error, r2=1 - 24 * error)

    objective = Distillation(examples, config, seed=3)
    return Run(student, objective, validate or look, config, seed=3, folder=folder, request="r")


def weights(run):
    return {name: tensor.clone() for name, tensor in run.student.model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
