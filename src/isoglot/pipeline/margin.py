"""Misaligned pairs of a corpus, found by their margin and left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json, is_current
from isoglot.config import MarginConfig, TeacherConfig
from isoglot.corpus.narrow import Verdicts, narrow
from isoglot.corpus.narrow import request as wanted_manifest
from isoglot.corpus.split import SPLITS, Split
from isoglot.corpus.store import Corpus
from isoglot.corpus.stream import rows
from isoglot.lock import exclusive
from isoglot.mine.blocks import Job, forget, search
from isoglot.mine.margin import margin_scores
from isoglot.mine.metric import exact_scores, prepare
from isoglot.progress import SILENT, Progress
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.store import Store

REASON = "margin"
_SHARES = (0.01, 0.05, 0.25, 0.5)  # of a language's pairs, whose margins are told


@dataclass(frozen=True)
class CleanRequest:
    """What is cleaned, and where to.

    Attributes:
        corpus: the corpus folder.
        out: the corpus folder to write.
        work: folder of vectors and finished blocks, by which a killed pass goes on.
    """

    corpus: Path
    out: Path
    work: Path


@dataclass
class _Language:
    """The pairs of one language in all splits, row by row as they come.

    Attributes:
        places: number of the row in the whole corpus.
        groups: its source sentence.
        targets: its translation.
        corpora: where it is from.
    """

    places: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    corpora: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Pairs:
    """All pairs of a corpus: by language, its source sentences by group, and rows per split."""

    languages: dict[str, _Language]
    sources: dict[int, str]
    rows: dict[Split, int]


def drop_misaligned(
    request: CleanRequest, teacher: TeacherConfig, config: MarginConfig, progress: Progress = SILENT
) -> dict[str, Any]:
    """Write a corpus without the pairs whose margin is below `config.least`.

    The margin of a pair relates its cosine to the mean cosine of the k nearest translations of its source, and of
    the k nearest sources of its translation, within its language and over all splits. A language with no more than k
    sentences on one side has nothing to compare with and stays as it is.

    A folder that is already the answer to this request is left as it is.

    Returns:
        Rows kept and dropped; of each language also the margins that 1, 5, 25 and 50 % of its pairs do not exceed.

    Raises:
        RequestError: no such corpus or model.
        IsoglotError: no pair stays, the disk is full, or another process works in the same folder.
    """
    corpus = Corpus.open(request.corpus)
    model, _ = open_teacher(teacher)
    with exclusive(request.work):
        pairs = _read(corpus)
        texts = [*pairs.sources.values(), *(text for own in pairs.languages.values() for text in own.targets)]
        vectors = request.work / f"store-{digest_json(teacher.model_dump(mode='json'))[:16]}"
        store = embed(texts, model, teacher, vectors, progress)
        judges = {f"model {teacher.label}": str(store.space["fingerprint"])}
        asked = Verdicts(REASON, {}, {}, config.model_dump(mode="json"), judges)
        if is_current(request.out, wanted_manifest(corpus, asked)):
            progress.stage("corpus", f"{request.out} is already clean")
        else:
            scores = np.full(sum(pairs.rows.values()), np.inf)
            for own in pairs.languages.values():
                scores[own.places] = _margins(own, pairs.sources, store, config, request.work, progress)
            narrow(corpus, _judged(asked, pairs, scores, config, corpus), request.out)
            forget(request.work)
    return {"out": str(request.out), "work": str(request.work), **_counted(Corpus.open(request.out))}


def _read(corpus: Corpus) -> _Pairs:
    pairs = _Pairs({tag: _Language() for tag in corpus.languages}, {}, {})
    for split in SPLITS:
        first = place = sum(pairs.rows.values())
        for place, row in enumerate(rows(corpus, split), start=first + 1):
            own = pairs.languages[row.lang]
            own.places.append(place - 1)
            own.groups.append(row.group)
            own.targets.append(row.target)
            own.corpora.append(row.corpus)
            pairs.sources[row.group] = row.source
        pairs.rows[split] = place - first
    return pairs


def _margins(
    own: _Language,
    sources: dict[int, str],
    store: Store,
    config: MarginConfig,
    work: Path,
    progress: Progress,
) -> NDArray[np.float64]:
    """Margin of each pair of a language; infinite where there is nothing to compare with."""
    groups, source = np.unique(np.array(own.groups), return_inverse=True)
    targets = {text: number for number, text in enumerate(dict.fromkeys(own.targets))}
    target = np.array([targets[text] for text in own.targets])
    if min(len(groups), len(targets)) <= config.neighbours:
        return np.full(len(source), np.inf)
    texts = [sources[group] for group in groups.tolist()]
    job = Job.of(store, texts, list(targets), config.neighbours, work)
    found = search(job, progress)
    means = [scores.mean(axis=1, dtype=np.float64) for scores, _ in (found.forward, found.backward)]
    cosines = exact_scores(*prepare(job.sources, job.targets, "cosine"), source, target)
    return margin_scores(cosines, means[0][source], means[1][target], config.score)


def _judged(
    asked: Verdicts, pairs: _Pairs, scores: NDArray[np.float64], config: MarginConfig, corpus: Corpus
) -> Verdicts:
    """Which pairs stay, the worst of the others of each language, and how the margins are spread."""
    keep, ends = scores >= config.least, np.cumsum(list(pairs.rows.values()))
    most = int(corpus.manifest.config["examples"])
    examples, told = {}, {}
    for tag, own in pairs.languages.items():
        order = np.argsort(scores[own.places], kind="stable")[:most].tolist()
        examples[tag] = [
            (own.corpora[row], pairs.sources[own.groups[row]], own.targets[row])
            for row in order
            if not keep[own.places[row]]
        ]
        judged = scores[own.places][np.isfinite(scores[own.places])]
        told[tag] = {
            f"{100 * share:g} %": float(np.quantile(judged, share)) for share in _SHARES if len(judged)
        }
    parts = dict(zip(pairs.rows, np.split(keep, ends[:-1]), strict=True))
    return replace(asked, keep=parts, examples=examples, told=told)


def _counted(made: Corpus) -> dict[str, Any]:
    counts = made.manifest.counts
    languages = {
        tag: {
            "kept": of["kept"],
            "dropped": of["dropped"].get(REASON, 0),
            "margins": dict(sorted(counts[REASON].get(tag, {}).items(), key=lambda told: told[1])),
        }
        for tag, of in counts["languages"].items()
    }
    return {"kept": counts["kept"], "dropped": counts["dropped"].get(REASON, 0), "languages": languages}
