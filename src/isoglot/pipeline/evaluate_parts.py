"""What an evaluation is made of: our tasks, the health of the space, MTEB's tasks, the check of an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from isoglot.errors import DamagedError, IsoglotError
from isoglot.evaluate.score import Score
from isoglot.evaluate.task import Space, Task
from isoglot.mine.threads import multiplying_alone
from isoglot.pipeline.evaluate_models import Remembering
from isoglot.pipeline.evaluate_suite import MTEB, Skipped
from isoglot.pipeline.health import Parallel, measure_health
from isoglot.progress import Progress
from isoglot.progress import Task as Bar
from isoglot.teacher.protocol import Teacher

_LARGE = ("mining", "bias")  # tasks that take memory and use all processors themselves


@dataclass(frozen=True)
class Known:
    """An encoder that has seen all texts.

    Attributes:
        space: its vectors.
        dimension: their width.
        encoder: itself; None when all vectors were there already.
        lacks: texts that it has no vector for.
    """

    space: Space
    dimension: int
    encoder: Teacher | None
    lacks: frozenset[str] = frozenset()

    def knows(self, task: Task) -> bool:
        """Whether it has a vector for all that a task asks of it."""
        return not self.lacks or self.lacks.isdisjoint(task.teacher_texts())


@dataclass(frozen=True)
class MtebRequest:
    """What is asked of MTEB: its names of tasks, canonical tags, and where test sets are."""

    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    data: tuple[Path, ...]


def measure_tasks(
    tasks: Sequence[Task], model: Space, teacher: Known | None, progress: Progress
) -> tuple[dict[str, list[Score]], list[Skipped]]:
    """Score tasks, by kind; one whose sentences the teacher does not know goes without it.

    Small tasks run beside each other, for most of their work is not in matrix products.
    """
    scores: dict[str, list[Score]] = {}
    left_out: dict[Skipped, None] = {}
    with progress.task("scores", len(tasks), "tasks") as bar:
        for large, group in groupby(tasks, key=lambda one: one.name in _LARGE):
            members = list(group)
            for one in members:
                if teacher is not None and not teacher.knows(one):
                    reason = "the teacher has no vector for some of its texts"
                    left_out[Skipped(f"{one.name} {one.test_set} against the teacher", reason)] = None
            for one, found in zip(members, _scored(members, model, teacher, bar, alone=large), strict=True):
                scores.setdefault(one.name, []).extend(found)
    return scores, list(left_out)


def _scored(
    tasks: Sequence[Task], model: Space, teacher: Known | None, bar: Bar, *, alone: bool
) -> list[list[Score]]:
    def measure(task: Task) -> list[Score]:
        owner = teacher.space if teacher is not None and teacher.knows(task) else None
        return task.measure(model, owner)

    if alone:
        return [_counted(measure(task), bar) for task in tasks]
    with multiplying_alone() as threads:
        return [_counted(found, bar) for found in threads.map(measure, tasks)]


def _counted(found: list[Score], bar: Bar) -> list[Score]:
    bar.advance()
    return found


def measure_space(
    texts: Parallel | None, model: Known, teacher: Known | None, progress: Progress
) -> dict[str, Any] | None:
    """The health of the model's space; None without texts."""
    if texts is None or model.encoder is None:
        return None
    with progress.task("health of the space", len(texts.pairs), "languages") as bar:
        known = teacher is not None and teacher.lacks.isdisjoint(originals_of(texts))
        owner = teacher if known else None
        found = measure_health(
            texts,
            model.space,
            None if owner is None else owner.space,
            model.encoder,
            None if owner is None else owner.encoder,
        )
        bar.advance(len(texts.pairs))
    return found


def originals_of(texts: Parallel | None) -> list[str]:
    """What the health of a space asks of the teacher."""
    pairs = [] if texts is None else texts.pairs.values()
    return [original for found in pairs for _, original in found]


def measure_mteb(
    request: MtebRequest | None, encoder: Callable[[], Remembering], out: Path, progress: Progress
) -> tuple[list[dict[str, Any]], list[Skipped]]:
    """Run tasks of MTEB, each by itself; one that cannot run is skipped with its reason.

    Args:
        request: the tasks; None: none.
        encoder: gives the model, whose vectors go into its store like those of our tasks.
        out: where MTEB's own files go.
        progress: where to report.

    Raises:
        DamagedError: a local file, or an earlier result, is broken.
    """
    if request is None:
        return [], []
    from isoglot.pipeline.mteb import run_mteb

    found: list[dict[str, Any]] = []
    skipped, model = [], encoder()
    for task in request.tasks:
        try:
            scores = run_mteb(model, model.label, [task], request.languages, request.data, out, progress)
        except DamagedError:
            raise
        except IsoglotError as error:
            skipped.append(Skipped(MTEB + task, f"{error.problem} {error.next_step}".strip().rstrip(".")))
        else:
            found += [asdict(score) for score in scores]
    return found, skipped


def measure_index(
    model: str, index: tuple[str, str | None], teacher: str | None, progress: Progress
) -> Mapping[str, Any]:
    """Check an index without queries of the user's: its calibration; `isoglot compat` takes more options.

    Args:
        model: the student.
        index: where it is, and where the texts of its documents are if it holds none.
        teacher: None: the one of the student's card.
        progress: where to report.

    Raises:
        RequestError: there is no such index, or something else built it.
    """
    from isoglot.compat_config import CompatConfig, IndexConfig
    from isoglot.pipeline.compat import check_index

    address, texts = index
    return check_index(
        model, address, CompatConfig(index=IndexConfig(texts=texts)), teacher, progress
    ).as_dict()
