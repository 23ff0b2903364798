"""What the page of an evaluation lets people look at: a map of translations, examples, the worst of every language."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.report.data import Example, MapPoint
from isoglot.evaluate.showcase import examples, sentence_map, worst_examples
from isoglot.evaluate.task import Space
from isoglot.pipeline.health import Parallel

_MAP_SENTENCES = 40
_EXAMPLES = 10
_WORST = 3  # per language
_POOL = 1000
_QUERIES = 100  # per language


@dataclass(frozen=True)
class Shown:
    """Parts of the page; see `evaluate.report.data.Report`."""

    map: tuple[MapPoint, ...] = ()
    pool: int = 0
    examples: tuple[Example, ...] = ()
    worst: tuple[Example, ...] = ()


def shown_of(texts: HeldOut, source_language: str, model: Space, teacher: Space) -> Shown:
    """Search sentences in the teacher's vectors of their originals.

    Args:
        texts: sentences and the originals that they are searched in.
        source_language: tag of the originals.
        model: gives the vectors of the sentences.
        teacher: gives those of the originals, in the same dimension.
    """
    queries, pool = model.vectors(texts.queries), teacher.vectors(texts.pool)
    return Shown(
        sentence_map(queries, pool, texts, source_language, _MAP_SENTENCES),
        len(texts.pool),
        examples(queries, pool, texts, _EXAMPLES),
        worst_examples(queries, pool, texts, _WORST),
    )


def translations(texts: Parallel) -> HeldOut | None:
    """Translations of test sets, as held-out sentences: the originals that have most translations are the pool.

    None when no language but that of the originals is there.
    """
    counts = Counter(original for pairs in texts.pairs.values() for _, original in set(pairs))
    pool = [original for original, _ in counts.most_common(_POOL)]
    number = {original: place for place, original in enumerate(pool)}
    languages = tuple(tag for tag in texts.pairs if tag != texts.source_language)
    rows = [
        (place, number[original], sentence)
        for place, tag in enumerate(languages)
        for sentence, original in [pair for pair in texts.pairs[tag] if pair[1] in number][:_QUERIES]
    ]
    filled = sorted({place for place, _, _ in rows})
    if not filled:
        return None
    return HeldOut(
        pool,
        [sentence for _, _, sentence in rows],
        np.array([gold for _, gold, _ in rows], np.int64),
        np.searchsorted(filled, [place for place, _, _ in rows]).astype(np.int16),
        tuple(languages[place] for place in filled),
    )
