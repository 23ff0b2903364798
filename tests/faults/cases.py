"""What is done to a run, and what must hold afterwards."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from faults import promises
from faults.rig import BY_NAME, STAGES, Blow, Rig, Stage, prepare, shards, strike

CONTINUE = "error: interrupted; run the same command again to continue."
ATTEMPTS = 5


@dataclass(frozen=True)
class Injection:
    """One way to hit a process.

    Attributes:
        name: for the table.
        signal: what is sent.
        times: how often, in quick succession.
        promise: what must hold, for the table.
        answered: what the process owes whoever hit it: gives broken promises of its exit.
    """

    name: str
    signal: int
    times: int
    promise: str
    answered: Callable[[Blow], list[str]]


@dataclass(frozen=True)
class Result:
    """One injection that was done: the row of the table it counts in, and the promises that broke."""

    injection: str
    promise: str
    problems: tuple[str, ...]


def killed(blow: Blow) -> list[str]:
    """A killed process only has to be dead."""
    return [] if blow.code == -signal.SIGKILL else [f"it ended with {blow.code}:\n{blow.said}"]


def interrupted(blow: Blow, code: int) -> list[str]:
    """An interrupted process says how to go on, once, and nothing that belongs to a bug."""
    problems = []
    if blow.code != code:
        problems.append(f"exit code {blow.code} instead of {code}")
    if blow.said.splitlines().count(CONTINUE) != 1 or not blow.said.endswith(CONTINUE + "\n"):
        problems.append("it does not end with the one line that says how to go on")
    problems += [f"it said {word}" for word in ("Traceback", "ignored", "Warning") if word in blow.said]
    return [f"{problem} ({blow.stage}):\n{blow.said}" for problem in problems]


_SAFE = "nothing half-written, verify says whole; the next run goes on and ends with the same bytes"
KILL = Injection("kill -9", signal.SIGKILL, 1, _SAFE, killed)
CTRL_C = Injection(
    "Ctrl-C", signal.SIGINT, 1, f"exit 130 and one line; {_SAFE}", lambda blow: interrupted(blow, 130)
)
TERMINATE = Injection(
    "SIGTERM", signal.SIGTERM, 1, f"exit 143 and one line; {_SAFE}", lambda blow: interrupted(blow, 143)
)
CTRL_C_AGAIN = Injection(
    "Ctrl-C three times",
    signal.SIGINT,
    3,
    f"exit 130 and one line; {_SAFE}",
    lambda blow: interrupted(blow, 130),
)

Plan = tuple[tuple[Injection, str], ...]
_ALL = tuple(stage.name for stage in STAGES)
_KILLED = sorted((*_ALL, "teacher vectors", "training", "training"), key=_ALL.index)
FULL: dict[str, Plan] = {
    "kill": tuple((KILL, stage) for stage in _KILLED),
    "ctrl-c": tuple((CTRL_C, stage) for stage in _ALL),
    "sigterm": tuple((TERMINATE, stage) for stage in _ALL),
    "ctrl-c again": tuple((CTRL_C_AGAIN, stage) for stage in _ALL),
}
for _part in range(1, 6):  # twenty of each, and what is done is known before all of it is
    FULL[f"stopped in training {_part}"] = ((CTRL_C, "training"), (TERMINATE, "training")) * 2
    FULL[f"stopped at the teacher {_part}"] = (
        (CTRL_C, "teacher vectors"),
        (TERMINATE, "teacher vectors"),
    ) * 2
FAST: dict[str, Plan] = {"mixed": ((KILL, "teacher vectors"), (CTRL_C, "training"))}


def carry_out(plan: Plan, rig: Rig, run: Path, seed: int | str) -> Iterator[Result]:
    """Hit one run folder again and again, stage by stage; then let it finish and compare.

    A promise on the finished run counts for every injection before it.
    """
    chance = random.Random(seed)
    results = []
    for injection, name in plan:
        blow, problems = _hit(injection, BY_NAME[name], rig, run, chance)
        problems = [*injection.answered(blow), *_after(rig, run, injection), *problems]
        results.append(Result(f"{injection.name}, {blow.stage}", injection.promise, tuple(problems)))
    at_the_end = _finish(rig, run)
    for result in results:
        yield Result(result.injection, result.promise, result.problems + at_the_end)


def _hit(
    injection: Injection, stage: Stage, rig: Rig, run: Path, chance: random.Random
) -> tuple[Blow, list[str]]:
    """Hit a process in `stage`; when it was over before the blow fell, lay the folder out anew and try again.

    Returns:
        What came of it, and a sentence for every committed shard that the process wrote again.
    """
    for _ in range(ATTEMPTS):
        before = _committed_shards(run)
        process = rig.start(run, fresh=stage is STAGES[0])
        delay = chance.random() * rig.seconds[stage.name]
        blow = strike(process, stage, delay, injection.signal, injection.times)
        if blow.stage == stage.name:
            return blow, _written_again(before, run)
        prepare(rig, stage, run)
    raise AssertionError(f"{stage.name} was missed {ATTEMPTS} times")


def _after(rig: Rig, run: Path, injection: Injection) -> list[str]:
    problems = promises.nothing_half_written(run)
    problems += promises.vectors_are_those_of(rig.whole, run)
    problems += promises.verify_says_whole(run)
    if injection.signal != signal.SIGKILL:
        problems += [f"{path} is left over" for path in run.rglob("*.partial")]
    return problems


def _committed_shards(run: Path) -> dict[str, tuple[int, int]]:
    listed = {f"{name}.safetensors" for name in promises.committed(run)}
    return {name: status for name, status in shards(run).items() if name in listed}


def _written_again(before: dict[str, tuple[int, int]], run: Path) -> list[str]:
    now = shards(run)
    return [f"{name} was embedded again" for name, status in before.items() if now.get(name) != status]


def _finish(rig: Rig, run: Path) -> tuple[str, ...]:
    before = _committed_shards(run)
    process = rig.start(run)
    code = process.wait()
    if code != 0:
        return (f"the last run ended with {code}:\n{process.text}",)
    return (
        *promises.nothing_half_written(run), *promises.verify_says_whole(run), *promises.nothing_left_over(run),
        *promises.same_result(rig.whole, run), *_written_again(before, run),
    )  # fmt: skip
