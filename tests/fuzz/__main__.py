"""Fuzz every reader, one after the other: `make fuzz`, with SECONDS each and READERS to choose.

Prints one line per reader and exits with 1 when anything was found; inputs and tracebacks stay in the folder.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_MEMORY = Path(
    "/dev/shm"
)  # inputs are files; on a disk that others use, writing them would take most of the time
_STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)


def main() -> int:
    """Run the harnesses and print the table."""
    from fuzz.readers import TARGETS

    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="per reader")
    parser.add_argument("--readers", nargs="*", default=list(TARGETS), choices=TARGETS)
    parser.add_argument("--findings", type=Path, default=Path("runs/fuzz"), help="folder for what was found")
    parser.add_argument("--json", type=Path, help="also write the table there")
    chosen = parser.parse_args()
    print(
        "| reader | seconds | executions | per second | peak MB | findings |\n|---|---|---|---|---|---|",
        flush=True,
    )
    rows = []
    for name in chosen.readers or list(TARGETS):
        rows.append(_fuzz(name, chosen.seconds, chosen.findings.resolve() / name))
        print("| " + " | ".join(str(cell) for cell in rows[-1].values()) + " |", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")
    return int(any(row["findings"] for row in rows))


def _fuzz(name: str, seconds: int, folder: Path) -> dict[str, str | int]:
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "fuzz.harness", name, str(folder), str(seconds)]
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as scratch:
        place = {**os.environ, "TMPDIR": scratch}
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=place, check=False
        )
    took = round(time.monotonic() - started)
    (folder / "log.txt").write_text(run.stderr[-100_000:])
    said = {key: int(value) for key, value in _STATISTIC.findall(run.stderr)}
    found = sorted(path.name for path in folder.iterdir() if path.suffix != ".txt")
    if run.returncode != 0 and not found:
        found = [f"exit code {run.returncode}, see {folder / 'log.txt'}"]
    return {
        "reader": name,
        "seconds": took,
        "executions": said.get("number_of_executed_units", 0),
        "per second": said.get("average_exec_per_sec", 0),
        "peak MB": said.get("peak_rss_mb", 0),
        "findings": ", ".join(found),
    }


if __name__ == "__main__":
    sys.exit(main())
