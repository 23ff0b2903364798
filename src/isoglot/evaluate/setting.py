"""What the scores of one test under one protocol have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoglot.evaluate.score import Score, Signature, Statistic
from isoglot.evaluate.statistics import Items, interval, value


@dataclass(frozen=True)
class Setting:
    """Where a score comes from.

    Attributes:
        test_set: whose sentences.
        languages: tags of first and second text; more where several languages are pooled.
        signature: what makes the scores comparable.
    """

    test_set: str
    languages: tuple[str, ...]
    signature: Signature

    def score(
        self,
        metric: str,
        statistic: Statistic,
        items: Items,
        *,
        main: bool = False,
    ) -> Score:
        """Compute a score from its items; in their own precision, although they are kept in float32.

        Args:
            metric: what the number is.
            statistic: how it follows from the items.
            items: float [n, columns].
            main: whether it stands for its task.
        """
        return Score(
            test_set=self.test_set,
            languages=self.languages,
            metric=metric,
            value=value(statistic, items),
            interval=interval(statistic, items),
            main=main,
            signature=self.signature,
            statistic=statistic,
            items=np.ascontiguousarray(items, np.float32),
        )
