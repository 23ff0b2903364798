"""The teacher pass: every distinct sentence of a request embedded once into the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isoglot.artefact import exclusive
from isoglot.config import TeacherConfig
from isoglot.encode.encoder import Encoder
from isoglot.encode.fingerprint import space
from isoglot.progress import SILENT, Progress
from isoglot.scale.plan import Chunk, run_in_process
from isoglot.teacher.store import Store


def embed(
    texts: Sequence[str], teacher: Encoder, config: TeacherConfig, folder: Path, progress: Progress = SILENT
) -> Store:
    """Put the teacher's vector of every distinct sentence into the store at `folder`; what is there already stays.

    Args:
        texts: sentences, repeats allowed.
        teacher: the encoder that owns the space.
        config: chunk size.
        folder: the store, made when missing.
        progress: where to report.

    Returns:
        The store, holding at least `texts`.

    Raises:
        RequestError: the store holds another space.
        IsoglotError: another process writes to it, or the teacher gave a vector that is not finite.
    """
    with exclusive(folder):
        store = Store.create(folder, {**space(teacher), "precision": teacher.precision}, config.chunk_rows)
        work = store.work_for(texts)

        def embed_chunk(chunk: Chunk) -> None:
            vectors = teacher.encode(work.texts[chunk.start : chunk.stop])
            store.commit(chunk, work.keys[chunk.start : chunk.stop], vectors)

        with progress.task("teacher vectors", work.rows_left, "sentences") as task:
            for chunk in run_in_process(work.plan, work.done, embed_chunk):
                task.advance(chunk.stop - chunk.start)
    return store
