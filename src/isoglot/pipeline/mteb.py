"""MTEB's tasks on an encoder: `isoglot evaluate MODEL --suite mteb:TASK[,TASK] --languages de,fr [--data DIR]`."""

from __future__ import annotations

import logging
import math
import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.languages import parse
from isoglot.errors import RequestError
from isoglot.evaluate.mteb.files import begin, publish
from isoglot.evaluate.mteb.model import MtebModel
from isoglot.evaluate.mteb.tasks import MtebTask, download
from isoglot.progress import SILENT, Progress
from isoglot.teacher.protocol import Teacher

if TYPE_CHECKING:
    from mteb import AbsTask
    from mteb.results import TaskResult

FOLDER = "mteb"


@dataclass(frozen=True)
class MtebScore:
    """One score of MTEB.

    Attributes:
        task: "mteb:" and MTEB's name, so that it is never taken for a task of ours.
        protocol: MTEB's type of task; of bitext mining it says that it is no margin mining.
        split: MTEB's name.
        subset: MTEB's name.
        languages: tags; two when the subset is between two languages.
        metric: MTEB's main score of the task.
        value: it; None where MTEB has no number, as for the correlation of something constant.
        metrics: every finite number that MTEB computed.
        data: MTEB's revision of the data set, or "isoglot-local-" and a digest of local rows.
        version: of MTEB.
        file: the result in MTEB's own layout, relative to `out`.
    """

    task: str
    protocol: str
    split: str
    subset: str
    languages: tuple[str, ...]
    metric: str
    value: float | None
    metrics: Mapping[str, float]
    data: str
    version: str
    file: str


def run_mteb(
    model: Teacher,
    label: str,
    tasks: Sequence[str],
    languages: Collection[str],
    data: Sequence[Path],
    out: Path,
    progress: Progress = SILENT,
) -> list[MtebScore]:
    """Run tasks of MTEB by name and write its result files; `dataclasses.asdict` makes JSON of the scores.

    Data come from `data` where a known test set lies there (STS17, STSBenchmark, STSBenchmarkMultilingualSTS, Tatoeba,
    BUCC, BUCC.v2), from the hub otherwise, which HF_HUB_OFFLINE=1 forbids. What an earlier run found of the same
    encoder on the same data is not computed again.

    Args:
        model: the encoder; its own prompt stands before every text, MTEB's prompts are not used.
        label: name, path or address of the model, for the folder of its results.
        tasks: MTEB's names.
        languages: codes; empty: all that a task has. English beside a wanted language needs not be named.
        data: folders, archives or files of test sets.
        out: its folder `mteb` becomes a results folder, which `mteb.ResultCache(out / "mteb")` loads.
        progress: where to report.

    Raises:
        RequestError: MTEB is not installed, has no such task, or has it in none of the languages.
        IsoglotError: the data of a task are not local and cannot be fetched.
        DamagedError: a local file, or an earlier result, is broken.
    """
    _require_mteb()
    wanted = list(dict.fromkeys(parse(code) for code in languages))
    benchmarks = open_benchmarks(data)
    scores: list[MtebScore] = []
    with _quiet():
        chosen = [MtebTask.of(name, wanted, benchmarks) for name in dict.fromkeys(tasks)]
        wrapped = MtebModel(model, label, progress)
        for task in chosen:
            found = _run(task, wrapped, out)
            lacking = f"; not in --data: {', '.join(task.lacking)}" if task.lacking else ""
            progress.stage("mteb", f"{task.name}: {len(found)} scores{lacking}")
            scores += found
    return scores


def _require_mteb() -> None:
    try:
        import mteb  # noqa: F401
    except ImportError as error:
        raise RequestError("Tasks of MTEB need the mteb package.", "pip install 'isoglot[mteb]'") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MTEB's remarks (newer versions of a task, progress of its own) out of ours."""
    import datasets
    from datasets.utils import are_progress_bars_disabled

    logger = logging.getLogger("mteb")
    level, bars = logger.level, not are_progress_bars_disabled()
    logger.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        if bars:
            datasets.enable_progress_bars()


def _run(task: MtebTask, model: MtebModel, out: Path) -> list[MtebScore]:
    meta, folder = model.mteb_model_meta, out / FOLDER
    with tempfile.TemporaryDirectory(prefix="isoglot-mteb-") as name:
        scratch = Path(name)
        result = begin(folder, scratch, meta, task.name, task.revision)
        for part in task.parts():
            result = _evaluated(part, result, model, scratch)
        file = publish(folder, scratch, meta, task.name)
    entries = [] if result is None else _entries(result)
    return [
        _score(task, split, entry, str(file.relative_to(out)))
        for split, entry in entries
        if entry["hf_subset"] in task.subsets
    ]


def _evaluated(part: AbsTask, known: TaskResult | None, model: MtebModel, scratch: Path) -> TaskResult:
    """Run what is missing of a task; the result holds all that is known of it."""
    import mteb

    if known is not None and not known.get_missing_evaluations(part):
        return known
    if not part.data_loaded:
        download(part)
    cache = mteb.ResultCache(scratch)
    found = mteb.evaluate(model, part, cache=cache, co2_tracker=False, show_progress_bar=False)
    return found.task_results[0]


def _entries(result: TaskResult) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Split and scores of every subset."""
    return ((split, entry) for split, entries in result.scores.items() for entry in entries)


def _score(task: MtebTask, split: str, entry: Mapping[str, Any], file: str) -> MtebScore:
    numbers = {
        name: float(number)
        for name, number in entry.items()
        if isinstance(number, float | int) and math.isfinite(number)
    }
    return MtebScore(
        task=f"mteb:{task.name}",
        protocol=task.protocol,
        split=split,
        subset=entry["hf_subset"],
        languages=task.subsets[entry["hf_subset"]],
        metric=task.metric,
        value=numbers.get("main_score"),
        metrics=numbers,
        data=task.revision,
        version=version("mteb"),
        file=file,
    )
