"""Tatoeba after a run: sentence in x -> the teacher's English vectors, before, after the warm start, after training.

    python bench/tatoeba.py runs/demo --data DIR [--json]

DIR holds `<language>.tsv.gz` files (ISO 639-3) with a header and the columns source and target (English). This is
not the fixed pool of our own evaluation: each language is searched in the English side of its own file, as the
published test does. A run's languages that have no file are named and left out.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import read_json
from isoglot.config import Recipe
from isoglot.corpus.benchmarks.matching import matches
from isoglot.corpus.languages import parse
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.locate import locate
from isoglot.evaluate.retrieval import top1_accuracy
from isoglot.pipeline.layout import RunFolder
from isoglot.pipeline.start import attach, load_start


def main() -> None:
    """Print one line per language, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, help="only the first rows of each file")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(RunFolder(options.run), options.data, options.rows)
    if options.json:
        print(json.dumps(result))
    else:
        for language, stages in result["languages"].items():
            print(language, *(f"{stage} {value:.1%}" for stage, value in stages.items()), sep="   ")
        print("mean", *(f"{stage} {value:.1%}" for stage, value in result["mean"].items()), sep="   ")


def measure(run: RunFolder, data: Path, most: int | None) -> dict[str, dict]:
    """Score every stage in every language of the run that has a test file."""
    recipe = Recipe.model_validate(read_json(run.recipe))
    sets = read_sets(data, list(read_json(run.student / "isoglot.json")["languages"]), most)
    teacher = load_encoder(locate(recipe.teacher.model).folder)
    english = {language: teacher.encode([target for _, target in rows]) for language, rows in sets.items()}
    stages: dict[str, dict[str, float]] = {}
    for stage, student in students(run, recipe, teacher):
        stages[stage] = {
            language: accuracy(student, [source for source, _ in rows], english[language])
            for language, rows in sets.items()
        }
    return {
        "mean": {stage: float(np.mean(list(scores.values()))) for stage, scores in stages.items()},
        "languages": {
            language: {stage: scores[language] for stage, scores in stages.items()} for language in sets
        },
        "sentences": {language: len(rows) for language, rows in sets.items()},
    }


def students(run: RunFolder, recipe: Recipe, teacher: Encoder) -> list[tuple[str, Encoder]]:
    """The untouched student (its own pooling), the warm start, and what the run shipped."""
    located = locate(recipe.student.model)
    untouched = load_encoder(located.folder)
    start, _ = load_start(located, recipe, run.rows, normalise=teacher.normalise)
    attach(start, run.start)
    return [("before", untouched), ("warm start", start), ("shipped", load_encoder(run.student))]


def accuracy(student: Encoder, sources: list[str], english: NDArray[np.float32]) -> float:
    """Top-1 of row i -> row i."""
    return top1_accuracy(student.encode(sources), english, np.arange(len(sources)))


def read_sets(folder: Path, languages: list[str], most: int | None) -> dict[str, list[tuple[str, str]]]:
    """Read the files of the wanted languages; test sets name the individual language, corpora often a macrolanguage."""
    sets = {}
    for path in sorted(folder.glob("*.tsv.gz")):
        test = parse(path.name.split(".")[0])
        for language in [one for one in languages if matches(test, one)]:
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
                rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
            sets[language] = [(source, target) for source, target in rows[1:][:most]]
    return sets


if __name__ == "__main__":
    main()
