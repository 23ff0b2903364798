"""How much each translation counts: by its language and by the corpus it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.corpus.languages import parse
from isoglot.corpus.store import Groups
from isoglot.errors import RequestError


def translation_weights(groups: Groups, config: TrainConfig) -> NDArray[np.float32]:
    """Weight of each translation: that of its language times that of its corpus; 1 where nothing is said.

    Returns:
        float32 [m].

    Raises:
        RequestError: a language or corpus is weighted that is not there.
    """
    weights = np.ones(len(groups.targets), np.float32)
    by_language = {parse(tag): weight for tag, weight in config.language_weights.items()}
    _refuse_unknown("language", by_language, groups.languages)
    weights *= _by_name(groups.languages, by_language)[groups.language]
    if config.corpus_weights:
        corpora = () if groups.origins is None else groups.origins.corpora
        _refuse_unknown("corpus", config.corpus_weights, corpora)
        if groups.origins is not None:
            weights *= _by_name(corpora, config.corpus_weights)[groups.origins.corpus]
    return weights


def _by_name(names: Iterable[str], weights: Mapping[str, float]) -> NDArray[np.float32]:
    return np.array([weights.get(name, 1.0) for name in names], np.float32)


def _refuse_unknown(kind: str, weights: Mapping[str, float], known: Iterable[str]) -> None:
    unknown = sorted(set(weights) - set(known))
    if unknown:
        raise RequestError(
            f"train.{kind}_weights names {', '.join(unknown)}, which the corpus does not have.",
            f"It has {', '.join(sorted(known)) or 'none that it names'}.",
        )
