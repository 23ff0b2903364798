"""What an objective without a teacher is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isoglot.compared_config import ComparedRecipe
from isoglot.corpus.store import Corpus, Groups
from isoglot.encode.locate import Located
from isoglot.evaluate.heldout import HeldOut
from isoglot.pipeline.layout import RunFolder
from isoglot.progress import Progress

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder
    from isoglot.train.loop import Outcome


@dataclass(frozen=True)
class Parallel:
    """Parallel text of a run, leaks dropped or kept as the recipe says.

    Attributes:
        corpus: all of it.
        train: groups to learn from.
        dev: what checkpoints are compared on.
        test: what the shipped student is scored on.
        leaks: the card's record of the test sets that will be reported.
        inputs: digests of what was taken out for them; empty when no test set was named.
    """

    corpus: Corpus
    train: Groups
    dev: HeldOut
    test: HeldOut
    leaks: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """What a student learns from.

    Attributes:
        parallel: None where the recipe names no corpus; never for ranking and translation.
        origin: the encoder to start from; None where the recipe names none.
        student: makes the untouched student of the recipe out of `origin`: its kind, pooling, prompt, length and
            full vocabulary. RequestError where `origin` is None.
    """

    parallel: Parallel | None
    origin: Located | None
    student: Callable[[], Encoder]


@dataclass(frozen=True)
class Stage:
    """Where and how an objective's own stages run.

    Attributes:
        recipe: the run's.
        folder: the run folder, whose lock the caller holds.
        request: digest of all that shapes the student; a checkpoint of another request is not resumed.
        progress: where to report.
    """

    recipe: ComparedRecipe
    folder: RunFolder
    request: str
    progress: Progress


@dataclass(frozen=True)
class Learnt:
    """What came out.

    Attributes:
        student: trained, with its full vocabulary, in eval mode.
        outcome: of the loop of this project (of its last part, where there are several); None where another trained.
        minutes: of training, all parts together.
        steps: of the optimiser, all parts together.
        record: further facts for the student's card, plain JSON values, such as the sizes of the tasks.
        notice: licences and attributions of further data, for the folder's NOTICE.
        leaks: the card's record of test sets, where the student learned from other text than `Material.parallel`.
    """

    student: Encoder
    outcome: Outcome | None
    minutes: float
    steps: int
    record: Mapping[str, Any] = field(default_factory=dict)
    notice: str = ""
    leaks: Mapping[str, Any] = field(default_factory=dict)
