"""A corpus as far as its teacher knows it: sentences without a vector stop the run or are left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from isoglot.errors import RequestError
from isoglot.teacher.protocol import Teacher

if TYPE_CHECKING:
    from isoglot.corpus.split import Split
    from isoglot.corpus.store import Corpus, Groups

_EXAMPLES = 3
_SHOWN = 60  # characters of an example


@dataclass(frozen=True)
class Covered:
    """The part of a corpus that the teacher has vectors for.

    Attributes:
        corpus: the whole of it.
        lacking: source sentences that are left out.
    """

    corpus: Corpus
    lacking: frozenset[str]

    def sources(self, split: Split | None = None) -> list[str]:
        """Source sentences of one split, or of all, that have a vector."""
        return [text for text in self.corpus.sources(split) if text not in self.lacking]

    def groups(self, split: Split) -> Groups:
        """One split without the source sentences that lack a vector, and without their translations."""
        groups = self.corpus.groups(split)
        if not self.lacking:
            return groups
        kept = np.array([text not in self.lacking for text in groups.sources], bool)
        rows = np.flatnonzero(kept[groups.group]) if len(groups.group) else np.zeros(0, np.int64)
        number = np.cumsum(kept, dtype=np.int32) - 1
        return replace(
            groups,
            sources=[text for text, keep in zip(groups.sources, kept, strict=True) if keep],
            targets=[groups.targets[row] for row in rows],
            group=number[groups.group[rows]],
            language=groups.language[rows],
            origins=None if groups.origins is None else groups.origins.of(rows),
        )


def cover(corpus: Corpus, teacher: Teacher, missing: Literal["error", "drop"]) -> Covered:
    """Find the source sentences that the teacher has no vector for.

    Args:
        corpus: parallel text.
        teacher: owner of the space.
        missing: "error": stop when there are any; "drop": leave them out.

    Raises:
        RequestError: some have none and may not be left out, or all have none; says how many and shows a few.
    """
    texts = corpus.sources()
    rows = np.flatnonzero(teacher.missing(texts))
    if len(rows) and (missing == "error" or len(rows) == len(texts)):
        shown = ", ".join(repr(texts[row][:_SHOWN]) for row in rows[:_EXAMPLES])
        raise RequestError(
            f"The teacher has no vector for {len(rows)} of {len(texts)} source sentences, such as {shown}.",
            "Give it the rest, or leave those sentences out: teacher.missing = drop."
            if missing == "error"
            else "Check that its texts are written as the corpus's source sentences are.",
        )
    return Covered(corpus, frozenset(texts[row] for row in rows))
