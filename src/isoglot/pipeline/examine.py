"""A corpus under the eyes of an encoder: which of its pairs are no translations of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import read_json
from isoglot.config import TeacherConfig
from isoglot.corpus.packing import create_text
from isoglot.corpus.split import Split
from isoglot.corpus.store import Corpus
from isoglot.corpus.stream import Row, rows
from isoglot.encode.encoder import load_encoder
from isoglot.encode.locate import locate
from isoglot.errors import RequestError
from isoglot.evaluate.misaligned import excess, robust_scores
from isoglot.pipeline.alone import teacher_of
from isoglot.progress import SILENT, Progress
from isoglot.student.folder import CARD
from isoglot.teacher.kinds import open_teacher

_BLOCK_GROUPS = 512  # source sentences encoded together, with all their translations
COLUMNS = ("score", "excess", "corpus", "lang", "split", "source", "target")


class Embeds(Protocol):
    """What gives sentences a vector: a student, a teacher, any encoder."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension]."""


@dataclass(frozen=True)
class Examination:
    """What to look at, and from where on a pair is suspicious.

    Attributes:
        splits: of the corpus.
        sources: look at so many source sentences of each split, a random sample; None: all.
        threshold: score from which on a pair is suspicious, in robust standard deviations of its language.
        most: suspicious pairs to list, the worst; all are counted.
    """

    splits: tuple[Split, ...]
    sources: int | None
    threshold: float
    most: int


@dataclass(frozen=True)
class Suspect:
    """A pair that is probably no translation.

    Attributes:
        score: robust standard deviations above the median of its language.
        excess: how much farther the translation is than the source sentence; see `evaluate.misaligned.excess`.
    """

    score: float
    excess: float
    corpus: str
    lang: str
    split: str
    source: str
    target: str


@dataclass(frozen=True)
class Examined:
    """What was found.

    Attributes:
        pairs: (corpus, language) -> pairs looked at.
        found: (corpus, language) -> suspicious ones.
        suspects: the worst of them, worst first.
    """

    pairs: Counter[tuple[str, str]]
    found: Counter[tuple[str, str]]
    suspects: tuple[Suspect, ...]


@dataclass
class _Measured:
    """One entry per pair, in the order of the corpus; numbers only, so that ten million pairs stay small."""

    excess: list[NDArray[np.float32]] = field(default_factory=list)
    place: list[NDArray[np.int32]] = field(default_factory=list)
    places: dict[tuple[str, str], int] = field(default_factory=dict)


def open_pair(model: str, teacher: str | None) -> tuple[Embeds, Embeds]:
    """Open an encoder and the teacher whose space it lives in.

    Args:
        model: a student folder, or any encoder that knows the languages.
        teacher: by default the one that the student's card names; another encoder is its own teacher.

    Raises:
        RequestError: no such model, or the student lives in another teacher's space.
    """
    folder = Path(model)
    about = read_json(folder / CARD).get("teacher") if (folder / CARD).is_file() else None
    if about is not None:
        return load_encoder(folder), teacher_of(folder, about, teacher)
    encoder = load_encoder(locate(model).folder)
    if teacher is None:
        return encoder, encoder
    opened, _ = open_teacher(TeacherConfig(model=teacher))
    if opened.dimension != encoder.dimension:
        raise RequestError(
            f"{model} gives vectors of {encoder.dimension} numbers, {teacher} of {opened.dimension}.",
            "Give the teacher that the model was distilled from, or leave --teacher out.",
        )
    return encoder, opened


def examine(
    corpus: Corpus, models: tuple[Embeds, Embeds], wanted: Examination, progress: Progress = SILENT
) -> Examined:
    """Find pairs whose translation lies far farther from the teacher's vector than the source sentence does.

    The corpus is read twice: to measure every pair, and to fetch the texts of the worst. Memory holds six bytes per
    pair, one block of vectors and the texts of `wanted.most` pairs.

    Raises:
        RequestError: there is no pair to look at.
        DamagedError: the corpus cannot be read.
    """
    measured = _measure(corpus, models, wanted, progress)
    if not measured.excess:
        raise RequestError(f"{corpus.folder} has no pairs to look at.", "Choose another --split.")
    values, place = np.concatenate(measured.excess), np.concatenate(measured.place)
    names = list(measured.places)
    languages = sorted({lang for _, lang in names})
    language = np.array([languages.index(lang) for _, lang in names], np.int16)[place]
    scores = robust_scores(values, language)
    far = np.flatnonzero(scores >= wanted.threshold)
    worst = far[np.argsort(-scores[far], kind="stable")][: wanted.most]
    texts = _fetch(corpus, wanted, np.sort(worst))
    return Examined(
        pairs=_counted(names, place),
        found=_counted(names, place[far]),
        suspects=tuple(
            Suspect(float(scores[at]), float(values[at]), row.corpus, row.lang, split, row.source, row.target)
            for at in worst.tolist()
            for split, row in (texts[at],)
        ),
    )


def write_tsv(suspects: Sequence[Suspect], path: Path) -> None:
    """Write suspects as a table with a header, worst first, whole or not at all."""
    with create_text(path) as file:
        file.write("\t".join(COLUMNS) + "\n")
        for one in suspects:
            texts = (
                " ".join(text.split()) for text in (one.corpus, one.lang, one.split, one.source, one.target)
            )
            file.write("\t".join([f"{one.score:.2f}", f"{one.excess:.4f}", *texts]) + "\n")


def _measure(
    corpus: Corpus, models: tuple[Embeds, Embeds], wanted: Examination, progress: Progress
) -> _Measured:
    student, teacher = models
    measured = _Measured()
    with progress.task("encoding pairs", _known_total(corpus, wanted), "pairs") as task:
        groups = _groups(corpus, wanted)
        while block := list(islice(groups, _BLOCK_GROUPS)):
            pairs = [row for _, found in block for row in found]
            sources = [found[0].source for _, found in block]
            group = np.repeat(np.arange(len(block)), [len(found) for _, found in block])
            own = teacher.encode(sources)
            ours = own if student is teacher else student.encode(sources)
            measured.excess.append(excess(own, ours, student.encode([row.target for row in pairs]), group))
            known = measured.places
            measured.place.append(
                np.array([known.setdefault((row.corpus, row.lang), len(known)) for row in pairs], np.int32)
            )
            task.advance(len(pairs))
    return measured


def _groups(corpus: Corpus, wanted: Examination) -> Iterator[tuple[Split, list[Row]]]:
    """Source sentences with their translations; groups come in random order, so the first are a sample."""
    for split in wanted.splits:
        grouped = groupby(rows(corpus, split), key=lambda row: row.group)
        for _, found in islice(grouped, wanted.sources):
            yield split, list(found)


def _known_total(corpus: Corpus, wanted: Examination) -> int | None:
    if wanted.sources is not None:
        return None
    counts = corpus.manifest.counts["languages"].values()
    return sum(int(of["splits"][split]) for of in counts for split in wanted.splits)


def _fetch(corpus: Corpus, wanted: Examination, places: NDArray[np.int64]) -> dict[int, tuple[Split, Row]]:
    """Pairs at these places of the order in which they were measured."""
    chosen = set(places.tolist())
    pairs = chain.from_iterable(((split, row) for row in found) for split, found in _groups(corpus, wanted))
    return {at: pair for at, pair in enumerate(pairs) if at in chosen}


def _counted(names: Sequence[tuple[str, str]], place: NDArray[np.int32]) -> Counter[tuple[str, str]]:
    counts = np.bincount(place, minlength=len(names))
    return Counter({name: int(rows) for name, rows in zip(names, counts, strict=True) if rows})
