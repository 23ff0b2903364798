"""A file of vectors as an index: texts stand beside .npy and .safetensors, and inside .parquet and .jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.compat_config import IndexConfig
from isoglot.corpus.formats.lines import read_lines
from isoglot.errors import RequestError
from isoglot.evaluate.indexes.index import IndexFacts, chosen_metric, refuse_empty
from isoglot.evaluate.indexes.table import Table, spooled
from isoglot.evaluate.indexes.texts import read_texts
from isoglot.teacher.vector_files import map_vectors, read_blocks
from isoglot.teacher_config import VectorsConfig

SUFFIXES = (".npy", ".safetensors", ".parquet", ".jsonl")


def open_file(path: Path, config: IndexConfig) -> Table:
    """Open a file of vectors.

    Raises:
        RequestError: it is not there, is empty, or lacks a column, or its texts are not as many as its vectors.
        DamagedError: it is cut or broken.
    """
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", "Give the path of a file of vectors.")
    options = VectorsConfig(
        text_column=config.text_column, vector_column=config.vector_column or "vector", texts=config.texts
    )
    mapped = map_vectors(path, options)
    ids, texts, vectors = _inside(path, options, config) if mapped is None else _beside(path, mapped, config)
    refuse_empty(str(path), len(ids))
    metric = chosen_metric(config.metric, None, "cosine", str(path))
    return Table(
        IndexFacts(str(path), f"{path.suffix[1:]} file", len(ids), vectors.shape[1], metric),
        ids,
        texts,
        vectors,
    )


def _beside(
    path: Path, vectors: NDArray[Any], config: IndexConfig
) -> tuple[list[str], list[str], NDArray[Any]]:
    rows = list(read_texts(path, config))
    if len(rows) != len(vectors):
        raise RequestError(
            f"There are {len(rows)} texts for the {len(vectors)} vectors of {path}.",
            "Give the texts in the order of the vectors, one for each; texts with line breaks need .jsonl.",
        )
    return [name for name, _ in rows], [text for _, text in rows], vectors


def _inside(
    path: Path, options: VectorsConfig, config: IndexConfig
) -> tuple[list[str], list[str], NDArray[np.float32]]:
    texts: list[str] = []

    def vectors() -> Iterator[NDArray[Any]]:
        for some, block in read_blocks(path, options, None):
            texts.extend(some)
            yield block

    table = spooled(vectors(), str(path))
    return _ids(path, config.id_column, len(texts)), texts, table


def _ids(path: Path, column: str | None, rows: int) -> list[str]:
    if column is None:
        return [str(row) for row in range(rows)]
    if path.suffix == ".jsonl":
        return [str(json.loads(line).get(column)) for line in read_lines(path)]
    import pyarrow.parquet as pq

    if column not in pq.read_schema(path).names:
        raise RequestError(f"{path} has no column {column!r}.", "Name the ids with --id-column.")
    return [str(name) for name in pq.read_table(path, columns=[column])[column].to_pylist()]
