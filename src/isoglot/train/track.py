"""Losses and scores for a tool that draws them: TensorBoard or trackio, on this machine and nowhere else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from isoglot.errors import RequestError
from isoglot.train.step import Run

Track = Callable[[int, Mapping[str, float]], None]

PROJECT = "isoglot"
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


def tracking(run: Run, done: int) -> AbstractContextManager[Track]:
    """Open the tool that `train.track` names for a run of which `done` steps are done.

    TensorBoard finds its files in `training/tensorboard`; trackio keeps its own store, where the run stands in the
    project "isoglot" under the name of its folder and the beginning of its request.

    Raises:
        RequestError: it is not installed, or would send what it gets to another machine.
    """
    if run.config.track == "tensorboard":
        return _tensorboard(run, done)
    if run.config.track == "trackio":
        return _trackio(run)
    return nullcontext(lambda step, figures: None)


@contextmanager
def _tensorboard(run: Run, done: int) -> Iterator[Track]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RequestError(
            'train.track = "tensorboard" needs the package tensorboard.',
            "Run: pip install 'isoglot[tensorboard]'",
        ) from error
    # steps after the last checkpoint are done again, and TensorBoard drops what it has of them
    with SummaryWriter(str(run.folder / "tensorboard"), purge_step=done + 1) as writer:

        def track(step: int, figures: Mapping[str, float]) -> None:
            for name, value in figures.items():
                writer.add_scalar(name, value, step)

        yield track


@contextmanager
def _trackio(run: Run) -> Iterator[Track]:
    named = [name for name in _ELSEWHERE if os.environ.get(name)]
    if named:
        raise RequestError(
            f"{named[0]} is set, with which trackio would send the log of this run to another machine.",
            "Unset it, or leave out train.track.",
        )
    try:
        import trackio
    except ImportError as error:
        raise RequestError(
            'train.track = "trackio" needs the package trackio.', "Run: pip install 'isoglot[track]'"
        ) from error
    from trackio.sqlite_storage import SQLiteStorage

    name = f"{run.folder.resolve().parent.name}-{run.request[:8]}"
    known = SQLiteStorage.get_max_step_for_run(PROJECT, name)
    after = -1 if known is None else known  # a resumed run does some steps again, and they give the same
    # it prints where the log is to stdout, which belongs to the result of a command
    with contextlib.redirect_stdout(sys.stderr), _offline():
        own = trackio.init(PROJECT, name, resume="allow", embed=False, auto_log_gpu=False, auto_log_cpu=False)
    try:
        yield lambda step, figures: own.log(dict(figures), step=step) if step > after else None
    finally:
        with contextlib.redirect_stdout(sys.stderr):
            trackio.finish()


@contextmanager
def _offline() -> Iterator[None]:
    """Keep trackio from asking the model hub for the name of the account whose token lies on this machine."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
