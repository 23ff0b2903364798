"""Scores that say what they measured: two numbers are comparable only if their signatures match."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# How a number follows from its items (see `evaluate.statistics`): what the bootstrap computes anew of every sample.
#   mean: one column, the outcomes                     spearman, pearson: cosine, human score
#   precision, recall, f1: predicted, gold, both       v-measure: cluster, class
#   pooled-, mean-, pooled-minus-mean-spearman: cosines in several sets, NaN in those that a row is not in, human score
Statistic = Literal[
    "mean", "spearman", "pearson", "precision", "recall", "f1", "v-measure",
    "pooled-spearman", "mean-spearman", "pooled-minus-mean-spearman",
]  # fmt: skip


@dataclass(frozen=True)
class Signature:
    """Everything that changes a score.

    Attributes:
        task: what was measured, such as "retrieval top-1".
        protocol: how, such as "student->teacher, pool 1000".
        data: digest of the sentences.
        model: fingerprint of the encoder.
        index: fingerprint of the encoder that made the documents' vectors, where it is another; empty otherwise.
    """

    task: str
    protocol: str
    data: str
    model: str
    index: str = ""

    def __str__(self) -> str:
        index = f"|index:{self.index[:12]}" if self.index else ""
        short = f"data:{self.data[:12]}|model:{self.model[:12]}{index}"
        return f"{self.task}|{self.protocol}|{short}|isoglot:{version('isoglot')}"


@dataclass(frozen=True, eq=False)
class Score:
    """One measured number, and the items that it was computed from.

    Attributes:
        test_set: whose sentences, such as `stsb-dev`.
        languages: tags of first and second text, such as ("de", "en"); more where several languages are pooled.
        metric: what the number is, such as "Spearman", "top-1 to teacher", "F1".
        value: the number.
        interval: bounds of the 95 % bootstrap interval; None where the items cannot be drawn anew.
        main: whether this is the number that stands for its task; the others explain it.
        signature: what makes it comparable.
        statistic: how `value` follows from `items`.
        items: float32 [n, columns], what was measured of every sentence, pair or candidate; row i is the same item for
            every model that is measured on the same data, so that two models can be compared in pairs.
    """

    test_set: str
    languages: tuple[str, ...]
    metric: str
    value: float
    interval: tuple[float, float] | None
    main: bool
    signature: Signature
    statistic: Statistic
    items: NDArray[np.float32]
