"""Kill -9 right before every rename and inside every removal: the moments at which a half-done change would show.

    python -m faults.renames RECIPE FOLDER MOST

Run as a program: it loads everything once and forks a fresh `isoglot run` for every moment. Each process goes on
where the one before it died and dies at the first moment that none has died at, at most MOST of them. Prints a JSON
list of {"moment", "problems"}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from faults import promises
from faults.preloaded import become, load

CHANGES = ("teacher.chunk_rows=64", "train.epochs=2", "train.evaluations=4")


def die_at_a_new_moment(known: frozenset[str], note: Path) -> None:
    """Let this process kill itself before the first rename, or in the first removal of a folder, not in `known`."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        moment = moment_of(event, arguments)
        if moment is not None and moment not in known:
            note.write_text(moment)
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def moment_of(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Name the moment that an audit event is; None for one that does not count."""
    if event == "os.rename":
        return f"before the rename to {Path(os.fspath(arguments[1])).name}"
    if event == "os.remove" and arguments[0] == "model.safetensors" and arguments[1] != -1:
        folder = Path(f"/proc/self/fd/{arguments[1]}").readlink().name
        return None if folder.endswith(".partial") else f"while {folder} is removed"
    return None


def run(recipe: str, out: Path, note: Path, known: frozenset[str] | None = None) -> int:
    """Do `isoglot run` in a fork, to the end or to a moment that is not in `known`; give its exit code."""
    settings = [word for change in CHANGES for word in ("--set", change)]
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if known is not None:
        die_at_a_new_moment(known, note)
    become(["run", recipe, "--out", str(out), *settings], str(note.with_suffix(".log")))
    raise AssertionError("isoglot ends the process")


def sweep(recipe: str, out: Path, whole: Path, most: int) -> list[dict[str, object]]:
    """Kill at one new moment after another, at most `most` of them, and then let the run finish."""
    note = out.with_name("note")
    results: dict[str, list[str]] = {}
    code = -signal.SIGKILL
    while code == -signal.SIGKILL and len(results) < most:
        code = run(recipe, out, note, frozenset(results))
        if code == -signal.SIGKILL:
            problems = promises.nothing_half_written(out) + promises.vectors_are_those_of(whole, out)
            results[note.read_text()] = problems
    if code != 0:
        code = run(recipe, out, note)
    end = [f"the last run ended with {code}:\n{note.with_suffix('.log').read_text()}"] if code else []
    end = end or [*promises.nothing_left_over(out), *promises.same_result(whole, out)]
    return [{"moment": moment, "problems": problems + end} for moment, problems in results.items()]


def main() -> None:
    """Do the undisturbed run and then the sweep."""
    recipe, folder, most = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    load()
    code = run(recipe, folder / "whole", folder / "note")
    assert code == 0, (folder / "note.log").read_text()
    print(json.dumps(sweep(recipe, folder / "run", folder / "whole", most)))


if __name__ == "__main__":
    main()
