"""What a run writes down of every step and every look: log.jsonl always, and what a tool draws when it is asked for."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from isoglot.disk import write_atomic
from isoglot.train.checkpoint import CurvePoint
from isoglot.train.step import Run
from isoglot.train.track import Track, tracking

_FILE = "log.jsonl"


@dataclass(frozen=True)
class Log:
    """Where the steps of a run are written down; in all but the first process nowhere.

    Attributes:
        write: takes one entry for log.jsonl.
        track: takes a step and its figures for the tool.
    """

    write: Callable[[Mapping[str, float | str]], None]
    track: Track

    def step(self, entry: Mapping[str, float | str]) -> None:
        """Write down a step; its number is under "step"."""
        self.write(entry)
        figures = {f"train/{name}": value for name, value in entry.items() if isinstance(value, int | float)}
        self.track(int(figures.pop("train/step")), figures)

    def look(self, point: CurvePoint) -> None:
        """Give the tool what a look at the dev split showed; progress.json has it for later."""
        score = dataclasses.asdict(point.score)
        languages = {f"retrieval/{tag}": value for tag, value in score.pop("languages").items()}
        figures = {f"dev/{name}": value for name, value in {**score, **languages}.items()}
        self.track(point.step, {name: value for name, value in figures.items() if _is_number(value)})


@contextmanager
def logged(run: Run, done: int) -> Iterator[Log]:
    """Open the log of a run of which `done` steps are done; what was written of later ones is forgotten.

    Raises:
        RequestError: the tool that `train.track` names is not installed, or would send the log elsewhere.
    """
    if not run.team.first:
        yield Log(lambda entry: None, lambda step, figures: None)
        return
    cut(run.folder, done)
    with (run.folder / _FILE).open("a") as file, tracking(run, done) as track:

        def write(entry: Mapping[str, float | str]) -> None:
            file.write(json.dumps(entry) + "\n")
            file.flush()

        yield Log(write, track)


def cut(folder: Path, step: int) -> None:
    """Forget the log of steps after `step`, which are done again, and a line that a power cut left half."""
    path = folder / _FILE
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith("}\n") and json.loads(line)["step"] <= step]
    write_atomic(path, "".join(whole))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
