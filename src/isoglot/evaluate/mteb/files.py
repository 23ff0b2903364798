"""MTEB's results folder, `results/MODEL/REVISION/TASK.json`: filled in a scratch folder, published file by file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from isoglot.disk import write_atomic
from isoglot.errors import DamagedError

if TYPE_CHECKING:
    from mteb.models import ModelMeta
    from mteb.results import TaskResult

_SETTINGS = "run_settings.jsonl"  # one file for all tasks of a model, so it is added to


def result_path(folder: Path, meta: ModelMeta, task: str) -> Path:
    """Where MTEB keeps the result of a task below a results folder."""
    from mteb import ResultCache

    return Path(ResultCache(folder).get_task_result_path(task, meta))


def begin(folder: Path, scratch: Path, meta: ModelMeta, task: str, revision: str) -> TaskResult | None:
    """Give a scratch folder what an earlier run found on the same rows of a task, so that only the rest is run.

    Returns:
        That result, None when there is none.

    Raises:
        DamagedError: that file is broken.
    """
    from mteb.results import TaskResult

    old, new = result_path(folder, meta, task), result_path(scratch, meta, task)
    new.parent.mkdir(parents=True, exist_ok=True)
    if (old.parent / _SETTINGS).is_file():
        shutil.copyfile(old.parent / _SETTINGS, new.parent / _SETTINGS)
    if not old.is_file():
        return None
    try:
        known = TaskResult.from_disk(old)
    except (ValueError, KeyError, TypeError) as error:  # not JSON, or not MTEB's
        raise DamagedError(f"{old} is no result of MTEB ({type(error).__name__}).", "Delete it.") from error
    if known.dataset_revision != revision:
        return None
    shutil.copyfile(old, new)
    return known


def publish(folder: Path, scratch: Path, meta: ModelMeta, task: str) -> Path:
    """Move the files of a finished task out of the scratch folder, each whole or not at all.

    Returns:
        The result file of the task.
    """
    old, new = result_path(folder, meta, task), result_path(scratch, meta, task)
    old.parent.mkdir(parents=True, exist_ok=True)
    for file in sorted(new.parent.iterdir()):
        write_atomic(old.parent / file.name, file.read_bytes())
    return old
