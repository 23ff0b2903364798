"""Peak memory of `isoglot corpus build` as the corpus grows: it should not.

    python bench/corpus_memory.py --data DIR [--rows 1000000 10000000] [--json]

DIR holds `<set>/eng-<language>.tsv.gz` with a header and the columns source_lang, target_lang, source and target. The
rows of the largest files are repeated with a number behind both sides until there are enough, so that every
repetition brings new sentences and new groups.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILES = 20


def main() -> None:
    """Print one measurement per number of rows, as lines or as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument(
        "--folder", type=Path, help="where the rows and the corpus go; unset: the usual folder"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for rows in options.rows:
            path = Path(name) / "rows.tsv.gz"
            write_rows(path, options.data, rows)
            found[rows] = build(path, Path(name) / "corpus")
    print(json.dumps(found, indent=None if options.json else 2))


def write_rows(path: Path, data: Path, wanted: int) -> None:
    """Write a TSV of `wanted` rows."""
    files = sorted(data.glob("*/eng-*.tsv.gz"), key=lambda file: -file.stat().st_size)[:FILES]
    with gzip.open(path, "wt", encoding="utf-8", newline="\n", compresslevel=1) as out:
        out.write("source_lang\ttarget_lang\tsource\ttarget\n")
        for line in itertools.islice(_repeated(files), wanted):
            out.write(line + "\n")


def _repeated(files: list[Path]) -> Iterator[str]:
    for number in itertools.count():
        suffix = f" {number}" if number else ""
        for file in files:
            with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
                next(lines)
                for line in lines:
                    source_lang, target_lang, source, target = line.rstrip("\n").split("\t")
                    yield "\t".join((source_lang, target_lang, source + suffix, target + suffix))


def build(path: Path, out: Path) -> dict[str, Any]:
    """Build a corpus as a program of its own; its peak memory, time and counts."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "isoglot.cli.main", "corpus", "build", path, "--out", out, "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"isoglot ended with status {status}")
    counts = json.loads(printed)
    return {
        "peak RSS, MB": round(usage.ru_maxrss / 1024),
        "seconds": round(time.perf_counter() - start, 1),
        "processor seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "kept": counts["kept"],
        "groups": sum(counts["sources"].values()),
    }


if __name__ == "__main__":
    main()
