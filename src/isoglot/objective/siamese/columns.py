"""NLI and graded pairs as columns of the tables that sentence-transformers' losses read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from isoglot.corpus.benchmarks.record import LABELS, Inference, Similarity
from isoglot.errors import DamagedError

_HIGHEST = 5.0  # score of two sentences that mean the same
Columns = Mapping[str, Sequence[str] | Sequence[int] | Sequence[float]]


def labelled(records: Iterable[Inference]) -> dict[str, Columns]:
    """Lay out premise, hypothesis and class number for `SoftmaxLoss`; pairs without a label are left out.

    Returns:
        The one table `pairs` with the columns sentence1, sentence2, label.
    """
    kept = [record for record in records if record.label in LABELS]
    return {
        "pairs": {
            "sentence1": [record.premise for record in kept],
            "sentence2": [record.hypothesis for record in kept],
            "label": [LABELS.index(record.label) for record in kept],
        }
    }


def entailed(records: Iterable[Inference]) -> dict[str, Columns]:
    """Lay out premises with what they entail, for `MultipleNegativesRankingLoss`.

    Where a premise has contradictions too, each of its entailed sentences gets one of them as a hard negative, in turn.

    Returns:
        The tables `triplets` (anchor, positive, negative) and `pairs` (anchor, positive); one without rows is left out.
    """
    entails: dict[str, dict[str, None]] = defaultdict(dict)
    contradicts: dict[str, dict[str, None]] = defaultdict(dict)
    for record in records:
        if record.label == "entailment":
            entails[record.premise][record.hypothesis] = None
        elif record.label == "contradiction":
            contradicts[record.premise][record.hypothesis] = None
    pairs, triplets = list[tuple[str, ...]](), list[tuple[str, ...]]()
    for premise, hypotheses in entails.items():
        against = list(contradicts.get(premise, ()))
        for number, hypothesis in enumerate(hypotheses):
            if against:
                triplets.append((premise, hypothesis, against[number % len(against)]))
            else:
                pairs.append((premise, hypothesis))
    tables = {"triplets": triplets, "pairs": pairs}
    return {name: _ranked(rows) for name, rows in tables.items() if rows}


def graded(records: Iterable[Similarity]) -> dict[str, Columns]:
    """Lay out two sentences and their score as a cosine for `CosineSimilarityLoss`: 0..5 becomes 0..1.

    Where no score is above 1 they are from 0 to 1 already.

    Returns:
        The one table `pairs` with the columns sentence1, sentence2, score.

    Raises:
        DamagedError: a score is not between 0 and 5.
    """
    kept = list(records)
    highest = _HIGHEST if max((record.score for record in kept), default=0.0) > 1 else 1.0
    for record in kept:
        if not 0 <= record.score <= _HIGHEST:
            raise DamagedError(
                f"{record.sentence1[:60]!r} has the score {record.score:g}.", "Give scores from 0 to 5."
            )
    return {
        "pairs": {
            "sentence1": [record.sentence1 for record in kept],
            "sentence2": [record.sentence2 for record in kept],
            "score": [record.score / highest for record in kept],
        }
    }


def sizes(tables: Mapping[str, Columns]) -> dict[str, int]:
    """Count the rows of each table."""
    return {name: len(next(iter(columns.values()))) for name, columns in tables.items()}


def texts_of(tables: Mapping[str, Columns]) -> list[str]:
    """All sentences of some tables."""
    return [
        text
        for columns in tables.values()
        for column in columns.values()
        for text in column
        if isinstance(text, str)
    ]


def _ranked(rows: Sequence[tuple[str, ...]]) -> Columns:
    names = ("anchor", "positive", "negative")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=False)}
