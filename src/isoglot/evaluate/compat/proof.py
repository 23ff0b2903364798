"""Did the claimed teacher build this index? Its vectors of the index's own texts beside those in the index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.unit import is_unit, unit
from isoglot.errors import RequestError
from isoglot.evaluate.compat.result import Proof
from isoglot.evaluate.indexes.index import IndexFacts

LEAST_AGREEING = 0.9  # share of the sample; the rest may have texts that were changed since
_LENGTHS = 0.05  # by which lengths may differ, relative


def prove(
    stored: NDArray[np.float32], teacher: NDArray[np.float32], limit: float, facts: IndexFacts, label: str
) -> Proof:
    """Compare vectors of the index with the teacher's of the same texts.

    Args:
        stored: float32 [n, d], out of the index, n at least 1.
        teacher: float32 [n, d].
        limit: cosine from which on a vector counts as the teacher's.
        facts: of the index.
        label: name of the teacher.

    Raises:
        RequestError: the widths differ, fewer than 90 % of the sample agree, or the lengths differ under a metric
            that depends on them.
    """
    refuse_width(facts, teacher.shape[1], label)
    cosines = np.einsum("nd,nd->n", unit(stored), unit(teacher))
    agreeing = float((cosines >= limit).mean())
    median, lowest = float(np.median(cosines)), float(cosines.min())
    if agreeing < LEAST_AGREEING:
        mixed = "" if agreeing < 1 - LEAST_AGREEING else " It may hold vectors of several models."
        raise RequestError(
            f"{label} did not build {facts.name}: the vectors of {len(cosines)} sampled texts have a median cosine of"
            f" {median:.3f} to its own (lowest {lowest:.3f}); {agreeing:.0%} reach {limit:g}.{mixed}",
            "Name the model that built it with --teacher, or the column with the text that was embedded with"
            " --text-column, or what stood before the documents with --document-prompt. If the index keeps vectors in"
            " few bits, allow for that with --min-cosine.",
        )
    needs_unit = is_unit(stored) and not is_unit(teacher)
    if facts.metric != "cosine" and not needs_unit:
        _refuse_lengths(stored, teacher, facts, label)
    return Proof(len(cosines), median, lowest, agreeing, limit, needs_unit)


def refuse_width(facts: IndexFacts, dimension: int, label: str) -> None:
    """Refuse a model whose vectors do not fit the index at all.

    Raises:
        RequestError: `dimension` is not the index's.
    """
    if facts.dimension != dimension:
        raise RequestError(
            f"{facts.name} holds vectors of {facts.dimension} dimensions, {label} gives {dimension}.",
            "Name the model that built the index with --teacher, and a student of that teacher.",
        )


def _refuse_lengths(
    stored: NDArray[np.float32], teacher: NDArray[np.float32], facts: IndexFacts, label: str
) -> None:
    ratio = float(np.median(np.linalg.norm(stored, axis=1) / np.linalg.norm(teacher, axis=1)))
    if abs(ratio - 1) > _LENGTHS:
        raise RequestError(
            f"{facts.name} ranks by {facts.metric}, and its vectors have {ratio:.2f} times the length of {label}'s.",
            "Were they scaled after embedding? Queries would have to be scaled too, which isoglot cannot know.",
        )
