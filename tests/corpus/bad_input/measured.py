"""A SOURCE read to its end in a process of its own, with limits: what came out, and what it cost."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

MOST_MB = 300  # of memory above what the process had before reading
MOST_SECONDS = 5  # of processor time


@dataclass(frozen=True)
class Outcome:
    """What reading did.

    Attributes:
        pairs: number of pairs that came.
        texts: the first of them, as (source, target), cut to 200 characters.
        error: name of the exception class; empty when there was none.
        message: its text.
        grown_mb: memory above the start, in MiB.
        seconds: processor time.
    """

    pairs: int
    texts: list[list[str]]
    error: str
    message: str
    grown_mb: float
    seconds: float


def read_in_own_process(source: str) -> Outcome:
    """Read a SOURCE with 300 MiB of address space above the start and a limit of processor time."""
    command = [sys.executable, "-W", "error", __file__, source]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, f"exit code {run.returncode}: {run.stderr[-2000:]}"
    return Outcome(**json.loads(run.stdout))


def read_in_this_process(source: str) -> Outcome:
    """Read a SOURCE here; for input that is wrong, but cannot cost much."""
    from isoglot.corpus.languages import Border
    from isoglot.corpus.source import open_source
    from isoglot.errors import DamagedError, RequestError

    texts: list[list[str]] = []
    error: DamagedError | RequestError | None = None
    try:
        texts += ([pair.source, pair.target] for pair in open_source(source).read(Border()))
    except (DamagedError, RequestError) as caught:
        error = caught
    return Outcome(len(texts), texts, type(error).__name__ if error else "", str(error or ""), 0, 0)


def require_bounds(outcome: Outcome) -> None:
    """Check the promise that every bad input must keep: refused or read, in bounded memory and time."""
    assert outcome.error in ("", "DamagedError", "RequestError"), outcome
    assert outcome.grown_mb < MOST_MB, outcome
    assert outcome.seconds < MOST_SECONDS, outcome


def _status(field: str) -> int:
    """A size of this process, in bytes, as Linux gives it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def _read(text: str) -> dict[str, object]:
    # every import and table of the readers is loaded before the measuring starts
    import defusedxml.ElementTree  # noqa: F401
    import polib  # noqa: F401
    import zstandard  # noqa: F401

    from isoglot.corpus.languages import Border
    from isoglot.corpus.source import open_source

    border = Border()
    border.tag("deu", "start")
    found: dict[str, object] = {"pairs": 0, "texts": [], "error": "", "message": ""}
    before, started = _status("VmHWM"), time.process_time()
    most = _status("VmSize") + MOST_MB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    pairs, texts = 0, []
    try:
        for pair in open_source(text).read(border):
            pairs += 1
            if len(texts) < 20:
                texts.append([pair.source[:200], pair.target[:200]])
    except Exception as error:  # noqa: BLE001  whatever it is, the test judges it
        found |= {"error": type(error).__name__, "message": str(error)[:2000]}
    seconds, grown = time.process_time() - started, (_status("VmHWM") - before) / 2**20
    return found | {"pairs": pairs, "texts": texts, "seconds": seconds, "grown_mb": grown}


if __name__ == "__main__":
    os.environ["PYTHONUTF8"] = "1"
    print(json.dumps(_read(sys.argv[1])))
