"""Runs of the training loop that stop at chosen steps, for as many processes as torchrun starts.

    python -m team_loop MODELS FOLDER [STEP]

Each case has a folder of its own under FOLDER; a run stops after STEP steps, without one at its end. At the
end of the last case FOLDER/NAME/vectors.npy has what the first process's student makes of some sentences.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sys
from pathlib import Path

import numpy as np
import torch

import tiny
from isoglot.config import StudentConfig, TrainConfig
from isoglot.corpus.store import Groups
from isoglot.encode.encoder import load_encoder
from isoglot.encode.model import Dense
from isoglot.objective.distillation.examples import Examples
from isoglot.objective.distillation.objective import Distillation
from isoglot.student.kinds import begin
from isoglot.train.loop import Run, train
from isoglot.train.team import Team, joined
from isoglot.train.validation import DevScore
from stopping import StoppedError, StopsAt

CASES = tuple(itertools.product(("transformer", "lstm", "static"), (2, 4)))  # kind, batches of a step
TEXTS = [tiny.sentence(number * 11) for number in range(40)]


def name_of(kind: str, accumulate: int) -> str:
    return f"{kind}-{accumulate}"


def make_run(models: Path, folder: Path, kind: str, accumulate: int, team: Team) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = StudentConfig(model="x", kind=kind, **({"lstm_width": 8} if kind == "lstm" else {}))
    with team.in_turn():
        student = begin(models / "student", chosen, 0, folder / "rows")
    torch.manual_seed(0)
    student.model.dense.append(Dense(student.model.feature_width, 24))
    student.model.shape = dataclasses.replace(student.model.shape, normalise=True)
    sources = [tiny.sentence(number * 7) for number in range(60)]
    targets = [tiny.translation(language, text) for text in sources for language in ("de", "fr")]
    group = np.repeat(np.arange(60), 2).astype(np.int32)
    groups = Groups(sources, targets, group, np.tile([0, 1], 60).astype(np.int16), ("de", "fr"))
    texts = groups.sources + groups.targets
    examples = Examples(
        texts=texts, tokens=student.tokenizer(texts), group=np.r_[np.arange(60), group].astype(np.int32),
        language=np.r_[np.full(60, -1), groups.language].astype(np.int16),
        vectors=load_encoder(models / "teacher").encode(sources), languages=groups.languages,
    )  # fmt: skip
    config = TrainConfig(
        epochs=2, batch_tokens=64, learning_rate=1e-3, head_learning_rate=1e-3, evaluations=5,
        accumulate=accumulate, dropout=True, contrast=1.0,
    )  # fmt: skip

    def look(encoder):
        """A score that rises, so that the last weights are the best."""
        seen = max((int(path.name[5:]) for path in folder.glob("step-*")), default=0) / 100
        return DevScore(0.5 + seen, 0.5 + seen, 0.1, "de", 0.4, 20.0, 0.1)

    objective = Distillation(examples, config, seed=3)
    return Run(student, objective, look, config, seed=3, folder=folder, request="r", team=team)


def train_all(models: Path, folder: Path, stop: int | None = None) -> None:
    """Train every case, with the other processes if torchrun started some, else alone."""
    with joined(60.0) as team:
        for kind, accumulate in CASES:
            run = make_run(models, folder / name_of(kind, accumulate), kind, accumulate, team)
            with contextlib.suppress(StoppedError):
                train(run, StopsAt(stop))
                if team.first:
                    np.save(run.folder / "vectors.npy", run.student.encode(TEXTS))
            team.meet()


if __name__ == "__main__":
    train_all(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else None)
