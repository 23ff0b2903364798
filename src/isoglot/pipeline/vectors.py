"""A stage on its own: the teacher pass over a corpus. Imports no torch, for teachers that need none."""

from __future__ import annotations

from pathlib import Path

from isoglot.config import TeacherConfig
from isoglot.corpus.store import Corpus
from isoglot.progress import SILENT, Progress
from isoglot.scale.plan import WHOLE, Part
from isoglot.teacher.coverage import cover
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.store import Store


def embed_corpus(
    corpus: Path,
    config: TeacherConfig,
    store: Path,
    progress: Progress = SILENT,
    processes: int = 1,
    part: Part = WHOLE,
    known: Path | None = None,
) -> Store:
    """Embed every source sentence of a corpus folder with a teacher.

    Args:
        corpus: the corpus folder.
        config: the teacher and how its vectors are kept.
        store: the store, made when missing.
        progress: where to report.
        processes: how many embed.
        part: which chunks of the plan to do.
        known: a store whose sentences are left out.

    Raises:
        RequestError: no such corpus or teacher, the teacher lacks sentences, or the store holds another space.
    """
    opened = Corpus.open(corpus)
    teacher, _ = open_teacher(config)
    covered = cover(opened, teacher, config.missing)
    made = embed(covered.sources(), teacher, config, store, progress, processes, part, known)
    if covered.lacking:
        progress.stage("teacher", f"{len(covered.lacking)} source sentences left out without a vector")
    return made
