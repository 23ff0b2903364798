"""The real `isoglot run` as a process that can be hit at a chosen moment of a chosen stage, and what must hold after.

A stage is recognised from outside: by the lines on stderr and the files in the run folder. An undisturbed run is
timed first; a blow then falls at a random share of the time that its stage took there.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.001
LIMIT_SECONDS = 240
SETTINGS = ("teacher.chunk_rows=8", "train.epochs=4", "train.batch_tokens=256", "train.evaluations=12")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


class Preloaded:
    """A program that forks processes on request; ends with `close`.

    Attributes:
        seconds: that loading took, so about the time that a fresh program takes to start.
    """

    def __init__(self, module: str = "faults.preloaded") -> None:
        began = time.monotonic()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=Path(__file__).parent.parent,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        self.answer()
        self.seconds = time.monotonic() - began

    def ask(self, request: object) -> int:
        """Start a process; give its number."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps(request) + "\n")
        self.popen.stdin.flush()
        return self.answer()

    def answer(self) -> int:
        """Wait for a process number or an exit code."""
        assert self.popen.stdout is not None
        return int(self.popen.stdout.readline())

    def close(self) -> None:
        """End the program."""
        self.popen.communicate(timeout=20)


class Process:
    """A running `isoglot`: a fork of the preloaded program, or a fresh one; `workers` end in that way of `crashing`."""

    def __init__(
        self, arguments: list[str], out: Path, preloaded: Preloaded | None, workers: str = ""
    ) -> None:
        self.out = out
        self.shards_before = shards(out)
        self.log = out.with_name(f"{out.name}.log")
        self.log.write_text("")
        self.code: int | None = None
        if preloaded is not None:
            self.number = preloaded.ask({"arguments": arguments, "stderr": str(self.log), "workers": workers})
            wait = preloaded.answer
        else:
            command = [sys.executable, "-m", "isoglot.cli.main", *arguments]
            with self.log.open("w") as log:
                popen = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=ENVIRONMENT)
            self.number, wait = popen.pid, popen.wait
        self._waiter = threading.Thread(target=lambda: setattr(self, "code", wait()), daemon=True)
        self._waiter.start()

    @property
    def text(self) -> str:
        """What it said on stderr."""
        return self.log.read_text("utf-8")

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, number)

    def said(self, stage: str) -> bool:
        """Tell whether the line that ends a stage was printed."""
        return f"\n{stage:<11}" in "\n" + self.text

    def handles_signals(self) -> bool:
        """Tell whether the program is past the start of Python itself: SIGTERM has a handler."""
        try:
            status = Path(f"/proc/{self.number}/status").read_text()
        except OSError:
            return False
        caught = next((line for line in status.splitlines() if line.startswith("SigCgt")), "SigCgt: 0")
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def wait(self) -> int:
        """Wait for its end; give its exit code, negative after a signal."""
        self._waiter.join(LIMIT_SECONDS)
        assert self.code is not None, f"it did not end within {LIMIT_SECONDS} s:\n{self.text}"
        return self.code


@dataclass(frozen=True)
class Stage:
    """A stretch of a run.

    Attributes:
        name: for people.
        begun: tells of a process whether it is there yet.
        done: name of the stderr line that comes after it.
        needs: names in the run folder that an earlier process may have left: work of the stages before.
    """

    name: str
    begun: Callable[[Process], bool]
    done: str
    needs: tuple[str, ...]


def _scratch(name: str) -> Callable[[Process], bool]:
    return lambda process: (process.out / f".{name}.partial").is_dir()


def _files_in(folder: Path) -> int:
    return len(os.listdir(folder)) if folder.is_dir() else 0  # noqa: PTH208  asked every millisecond


STAGES = (
    Stage("start of the program", Process.handles_signals, "models", ()),
    Stage("corpus", _scratch("corpus"), "corpus", ()),
    Stage(
        "teacher vectors",
        lambda process: _files_in(process.out / "store" / "shards") > len(process.shards_before),
        "teacher",
        ("corpus",),
    ),
    Stage("warm start", _scratch("warm_start"), "warm start", ("corpus", "store")),
    Stage(
        "training", lambda process: process.said("warm start"), "training", ("corpus", "store", "warm_start")
    ),
    Stage(
        "saving the student", _scratch("student"), "training", ("corpus", "store", "warm_start", "training")
    ),
    Stage(
        "evaluation",
        lambda process: process.said("training"),
        "evaluation",
        ("corpus", "store", "warm_start", "training", "student"),
    ),
)
BY_NAME = {stage.name: stage for stage in STAGES}


@dataclass(frozen=True)
class Rig:
    """An undisturbed run, to repeat and compare with.

    Attributes:
        recipe: the recipe file.
        whole: the run folder of the undisturbed run.
        seconds: stage -> seconds that it took there.
        preloaded: forks runs.
    """

    recipe: Path
    whole: Path
    seconds: Mapping[str, float]
    preloaded: Preloaded

    def start(self, out: Path, fresh: bool = False) -> Process:
        """Start the same run into another folder, as a fresh program or as a fork of the preloaded one."""
        return Process(arguments(self.recipe, out), out, None if fresh else self.preloaded)


@dataclass(frozen=True)
class Blow:
    """What came of hitting a process: its exit code, the stage it was in, what it said."""

    code: int
    stage: str
    said: str


def arguments(recipe: Path, out: Path) -> list[str]:
    """The command line of the run, without the program."""
    changes = [word for setting in SETTINGS for word in ("--set", setting)]
    return ["run", str(recipe), "--out", str(out), *changes]


def undisturbed(recipe: Path, out: Path, preloaded: Preloaded) -> Rig:
    """Do the whole run once and time its stages."""
    process = Process(arguments(recipe, out), out, preloaded)
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    while process.code is None:
        now = time.monotonic()
        for stage in STAGES:
            if stage.name not in began and stage.begun(process):
                began[stage.name] = now
            over = process.said(stage.done) or (
                stage.name == "saving the student" and not stage.begun(process)
            )
            if stage.name in began and stage.name not in ended and over:
                ended[stage.name] = now
        time.sleep(POLL_SECONDS)
    code = process.wait()
    assert code == 0, process.text
    now = time.monotonic()
    seconds = {name: ended.get(name, now) - then for name, then in began.items()}
    seconds[STAGES[0].name] = preloaded.seconds
    assert seconds.keys() == BY_NAME.keys(), f"stages that were not seen: {BY_NAME.keys() - seconds.keys()}"
    return Rig(recipe, out, seconds, preloaded)


def prepare(rig: Rig, stage: Stage, out: Path) -> Path:
    """Lay out a run folder as a process leaves it that ended just before `stage`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for name in stage.needs:
        shutil.copytree(rig.whole / name, out / name)
    return out


def strike(process: Process, stage: Stage, delay: float, number: int, times: int = 1) -> Blow:
    """Send a signal `delay` seconds into a stage, `times` times in quick succession."""
    while process.code is None and not stage.begun(process):
        time.sleep(POLL_SECONDS)
    time.sleep(delay)
    where = whereabouts(process)
    for turn in range(times):
        time.sleep(0.02 * turn)
        process.send(number)
    code = process.wait()
    return Blow(code, "after the end" if code == 0 else where, process.text)


def whereabouts(process: Process) -> str:
    """Name the stage that a process is in."""
    said = [number for number, stage in enumerate(STAGES) if process.said(stage.done)]
    begun = [number for number, stage in enumerate(STAGES) if stage.begun(process)]
    after_last_line = min(said[-1] + 1, len(STAGES) - 1) if said else 0
    return STAGES[max([after_last_line, *begun])].name


def shards(run: Path) -> dict[str, tuple[int, int]]:
    """Shard files of a run: name -> inode and time of writing, which change when a file is written anew."""
    found = {}
    for path in (run / "store" / "shards").glob("*.safetensors"):
        status = path.stat()
        found[path.name] = (status.st_ino, status.st_mtime_ns)
    return found
