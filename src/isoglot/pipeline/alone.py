"""Stages on their own: the teacher pass over a corpus, and the evaluation of a finished student."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoglot.artefact import read_json
from isoglot.config import EvaluateConfig, TeacherConfig
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.encode.fingerprint import space
from isoglot.encode.locate import locate
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import hold_out
from isoglot.pipeline.assess import Subject, assess
from isoglot.progress import SILENT, Progress
from isoglot.student.folder import CARD
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store


def embed_corpus(corpus: Path, config: TeacherConfig, store: Path, progress: Progress = SILENT) -> Store:
    """Embed every source sentence of a corpus folder with a teacher.

    Raises:
        RequestError: no such corpus or teacher, or the store holds another space.
    """
    texts = Corpus.open(corpus).sources()
    return embed(texts, load_encoder(locate(config.model).folder), config, store, progress)


def evaluate_student(
    student: Path,
    corpus: Path,
    out: Path,
    config: EvaluateConfig,
    teacher: str | None = None,
    progress: Progress = SILENT,
) -> Mapping[str, Any]:
    """Score a student folder on the test split of a corpus and write `scores.json` and `report.html`.

    Args:
        student: a folder that isoglot made.
        corpus: a corpus folder.
        out: where the two files go.
        config: pool and queries.
        teacher: the teacher; by default the one that the student's card names.
        progress: where to report.

    Raises:
        RequestError: the folder is no isoglot student, or the teacher's space is not the student's.
    """
    if not (student / CARD).is_file():
        raise RequestError(f"{student} has no {CARD}: it is not a student.", "Make one with isoglot distil.")
    card = read_json(student / CARD)
    label = teacher or card["teacher"]["label"]
    encoder = load_encoder(locate(label).folder)
    found, wanted = space(encoder)["fingerprint"], card["teacher"]["space"]["fingerprint"]
    if found != wanted:
        raise RequestError(
            f"{student} lives in the space {wanted[:12]}, but {label} has the space {str(found)[:12]}.",
            "Give the teacher that the student was distilled from with --teacher.",
        )
    opened = Corpus.open(corpus)
    test = hold_out(opened.groups("test"), opened.sources("train"), config.pool, config.queries)
    if not test.queries:
        raise RequestError(
            f"The test split of {corpus} is empty.", "Build it with --set test_percent=5, or more sentences."
        )
    vectors = encoder.encode(test.pool, progress, "teacher vectors of the pool")
    out.mkdir(parents=True, exist_ok=True)
    return assess(Subject(student, card, opened, test, vectors, {}, student.name), out, progress)
