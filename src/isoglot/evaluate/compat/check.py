"""The whole check on arrays and an open index: what models and files gave goes in, a result comes out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from isoglot.artefact import digest_json
from isoglot.compat_config import CompatConfig
from isoglot.errors import RequestError
from isoglot.evaluate.compat.answers import Asked, Labelled, Unlabelled, is_document, labelled, unlabelled
from isoglot.evaluate.compat.measure import (
    STUDENT,
    TEACHER,
    calibrate_labelled,
    calibrate_unlabelled,
    ndcg_of,
    ranking,
    share,
    teachers_threshold,
    usual_threshold,
)
from isoglot.evaluate.compat.queries import Query, Relevance
from isoglot.evaluate.compat.result import LanguageCompat, Protocol, ThresholdFrom
from isoglot.evaluate.compat.verdict import judge
from isoglot.evaluate.indexes.metric import Metric, shown

NO_RELEVANT = "no relevant document"
IS_DOCUMENT = "the query is itself a document"
NO_HITS = "no hit but the query itself"


@dataclass
class Answers:
    """Answers by language, and why others are missing.

    Attributes:
        labelled: of queries with relevant documents.
        unlabelled: of queries without.
        english: labelled answers, one for each distinct English query: the teacher's threshold is chosen on them.
        left_out: queries by reason.
    """

    labelled: dict[str, list[Labelled]] = field(default_factory=lambda: defaultdict(list))
    unlabelled: dict[str, list[Unlabelled]] = field(default_factory=lambda: defaultdict(list))
    english: dict[tuple[str, str], Labelled] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def take(self, asked: Asked, relevance: Relevance | None, metric: Metric) -> None:
        """Judge one more query, under the protocol that `relevance` decides."""
        query = asked.query
        if relevance is None:
            answer = unlabelled(asked, metric)
            if answer is None:
                self.left_out[NO_HITS] += 1
            else:
                self.unlabelled[query.language].append(answer)
        elif is_document(asked):
            self.left_out[IS_DOCUMENT] += 1
        else:
            judged = labelled(asked, relevance[query.id], metric)
            self.labelled[query.language].append(judged)
            self.english.setdefault((query.id, query.english), judged)


def with_relevance(queries: Sequence[Query], relevance: Relevance | None) -> list[Query]:
    """Keep the queries that have a relevant document; all where nothing is labelled.

    Raises:
        RequestError: none has one.
    """
    kept = [query for query in queries if relevance is None or relevance.get(query.id)]
    if queries and not kept:
        raise RequestError(
            f"None of the {len(queries)} queries has a relevant document, such as the query {queries[0].id!r}.",
            "Give the queries the ids of the relevance file, in a column `id`; without one, rows count from 1.",
        )
    return kept


def threshold_of(
    answers: Answers, own_texts: Sequence[Unlabelled], config: CompatConfig, metric: Metric
) -> tuple[float, ThresholdFrom]:
    """Choose the threshold whose hold is tested, on scores of which more is nearer.

    It is the user's; else the one at which the teacher's F1 is best, over what is relevant; else the median of the
    teacher's scores.

    Raises:
        RequestError: there is nothing to choose it on.
    """
    if config.threshold is not None:
        return shown(config.threshold, metric), "given"
    if answers.english:
        return teachers_threshold(list(answers.english.values())), "best F1 of the teacher"
    every = [answer for group in answers.unlabelled.values() for answer in group] or own_texts
    if not every:
        raise RequestError(
            "The index holds too few different texts to choose a threshold.", "Give one with --threshold."
        )
    return usual_threshold(every), "median of the teacher's hits"


def languages_of(
    answers: Answers, threshold: float, config: CompatConfig, metric: Metric
) -> tuple[LanguageCompat, ...]:
    """Measure every language under the protocol that its answers have, best first."""
    measured = [
        *(_labelled(tag, group, threshold, config, metric) for tag, group in answers.labelled.items()),
        *(_unlabelled(tag, group, threshold, config, metric) for tag, group in answers.unlabelled.items()),
    ]
    return tuple(sorted(measured, key=lambda one: (-one.value, one.language)))


def _labelled(
    language: str, answers: Sequence[Labelled], threshold: float, config: CompatConfig, metric: Metric
) -> LanguageCompat:
    value, interval = share(ndcg_of(answers, STUDENT), ndcg_of(answers, TEACHER))
    calibration = calibrate_labelled(answers, threshold, metric)
    return LanguageCompat(
        language=language,
        queries=len(answers),
        value=value,
        interval=interval,
        calibration=calibration,
        verdict=judge(value, calibration, config.min_ndcg, config.min_f1),
        student=ranking(answers, STUDENT),
        teacher=ranking(answers, TEACHER),
    )


def _unlabelled(
    language: str, answers: Sequence[Unlabelled], threshold: float, config: CompatConfig, metric: Metric
) -> LanguageCompat:
    overlaps = np.array([answer.overlap for answer in answers])
    value, interval = share(overlaps, np.ones(len(answers)))
    calibration = calibrate_unlabelled(answers, threshold, metric)
    return LanguageCompat(
        language=language,
        queries=len(answers),
        value=value,
        interval=interval,
        calibration=calibration,
        verdict=judge(value, calibration, config.min_overlap, config.min_f1),
        overlap=value,
    )


def protocol_of(queries: Sequence[Query], relevance: Relevance | None) -> Protocol:
    """Name the protocol that the user's files allow."""
    if not queries:
        return "calibration only"
    return "unlabelled" if relevance is None else "labelled"


def limits_of(protocol: Protocol, config: CompatConfig) -> Mapping[str, float]:
    """Numbers that decide the verdicts of a protocol."""
    least = {"labelled": config.min_ndcg, "unlabelled": config.min_overlap}
    return {**({"value": least[protocol]} if protocol in least else {}), "f1": config.min_f1}


def data_digest(queries: Sequence[Query], relevance: Relevance | None) -> str:
    """Digest of everything that is asked and judged by."""
    return digest_json(
        [[query.id, query.language, query.text, query.english] for query in queries]
        + [relevance if relevance is None else {name: dict(grades) for name, grades in relevance.items()}]
    )
