"""NLI and graded pairs from a hub, or from a folder in a hub's layout: columns by their names, rows as they arrive.

NLI has `premise`, `hypothesis` and `label`: a word, or the number of one in the order that SNLI, MultiNLI and their
union have on the hub. Graded pairs have `sentence1`, `sentence2` and `score`, from 0 to 1 or from 0 to 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from isoglot.corpus.benchmarks.record import Inference, Similarity
from isoglot.corpus.sources.hf import Dataset, rows
from isoglot.errors import DamagedError

_NUMBERED = ("entailment", "neutral", "contradiction")


def inferences(dataset: Dataset) -> Iterator[Inference]:
    """Yield the pairs of the split `train`; those that nobody could label (-1) have the label `-`.

    Raises:
        RequestError: there is no such configuration or split.
        DamagedError: a row lacks a column, or its label is none.
    """
    for number, row in enumerate(rows(dataset), start=1):
        where = f"hf:{dataset.name}, row {number}"
        label = _cell(row, "label", where)
        if isinstance(label, int):
            if not -1 <= label < len(_NUMBERED):
                raise DamagedError(
                    f"{where}: {label} is no label of NLI.", "Name a dataset with three labels."
                )
            label = "-" if label < 0 else _NUMBERED[label]
        yield Inference(_text(row, "premise", where), _text(row, "hypothesis", where), str(label))


def similarities(dataset: Dataset, split: str) -> list[Similarity]:
    """Read the graded pairs of a split, scores as they stand.

    Raises:
        RequestError: there is no such configuration or split.
        DamagedError: a row lacks a column, or its score is no number.
    """
    found = []
    for number, row in enumerate(rows(dataset, split), start=1):
        where = f"hf:{dataset.name}, row {number}"
        score = _cell(row, "score", where)
        if not isinstance(score, int | float) or not math.isfinite(score):
            raise DamagedError(f"{where}: {score!r} is no score.", "Name a dataset of graded pairs.")
        found.append(Similarity(_text(row, "sentence1", where), _text(row, "sentence2", where), float(score)))
    return found


def _text(row: Any, column: str, where: str) -> str:  # noqa: ANN401
    """A sentence in one line, as files of test sets have them: comparisons of many texts join them by line feeds."""
    return " ".join(str(_cell(row, column, where)).splitlines())


def _cell(row: Any, column: str, where: str) -> Any:  # noqa: ANN401  a cell has any type; the caller checks it
    value = row.get(column)
    if value is None:
        raise DamagedError(f"{where} has no {column}.", "Name a dataset with that column.")
    return value
