"""What the tasks of an evaluation cost beside encoding: processor seconds of each kind, with random vectors.

    python bench/tasks.py DATA/eval [--dimension 384]

Prints JSON: kind -> tasks, scores, seconds; the bootstrap of all intervals is in them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.evaluate.task import Space
from isoglot.evaluate.tasks import TASKS, tasks_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dimension", type=int, default=384)
    options = parser.parse_args()
    start = time.process_time()
    tasks = tasks_of(open_benchmarks([options.data]), TASKS)
    found: dict[str, dict[str, float]] = {"reading": {"seconds": round(time.process_time() - start, 1)}}
    texts = {text: number for number, text in enumerate({text for task in tasks for text in task.texts()})}
    vectors = np.random.default_rng(0).standard_normal((len(texts), options.dimension), np.float32)
    space = Space(lambda named: vectors[[texts[text] for text in named]], "random")
    for task in tasks:
        start = time.process_time()
        scores = task.measure(space, space)
        row = found.setdefault(task.name, {"tasks": 0, "scores": 0, "seconds": 0.0})
        row["tasks"] += 1
        row["scores"] += len(scores)
        row["seconds"] += time.process_time() - start
    found["all"] = {"texts": len(texts), "seconds": sum(row["seconds"] for row in found.values())}
    print(
        json.dumps({kind: {k: round(v, 1) for k, v in row.items()} for kind, row in found.items()}, indent=2)
    )


if __name__ == "__main__":
    main()
