"""Files of finished vectors and their texts, read block by block: .npy, .safetensors, .parquet, .jsonl.

Nothing is unpickled, and a file is never held in memory as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.errors import DamagedError, RequestError
from isoglot.teacher_config import VectorsConfig

if TYPE_CHECKING:
    import pyarrow as pa

Block = tuple[list[str], NDArray[Any]]
_ROWS = 4096  # of a block
_FLOATS = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
_TEXT_SUFFIXES = (".txt", ".jsonl")


def map_vectors(path: Path, options: VectorsConfig) -> NDArray[Any] | None:
    """Map the vectors of a .npy or .safetensors file, float [n, d]; None for formats that cannot be mapped.

    Raises:
        RequestError: the file holds no table of floating-point numbers.
        DamagedError: it is cut or broken.
    """
    if path.suffix == ".npy":
        return _checked(path, _map_npy(path))
    if path.suffix == ".safetensors":
        return _checked(path, _map_safetensors(path, options.vector_column))
    return None


def read_blocks(path: Path, options: VectorsConfig, mapped: NDArray[Any] | None) -> Iterator[Block]:
    """Read texts with their vectors, in the order of the file.

    Args:
        path: the file of vectors.
        options: where its texts are.
        mapped: what `map_vectors` gave.

    Raises:
        RequestError: a column is missing, or the numbers of texts and vectors differ.
        DamagedError: a row cannot be read; names its line or row.
    """
    if mapped is not None:
        return _beside(path, mapped, _texts_file(path, options), options)
    return _jsonl(path, options) if path.suffix == ".jsonl" else _parquet(path, options)


def _checked(path: Path, table: NDArray[Any]) -> NDArray[Any]:
    if table.ndim != 2 or table.dtype.kind != "f" or not table.shape[1]:
        raise RequestError(
            f"{path} holds {table.dtype} {list(table.shape)}, not fp16, fp32 or fp64 numbers [rows, dimension].",
            "Save one row per text as floating-point numbers.",
        )
    return table


def _map_npy(path: Path) -> NDArray[Any]:
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as error:  # the header is Python's syntax
        raise DamagedError(
            f"{path} cannot be mapped as a .npy array ({error}).", "Save it with numpy.save as a float array."
        ) from error
    if not isinstance(table, np.ndarray):
        raise RequestError(f"{path} is an archive of arrays.", "Save the one array with numpy.save.")
    return table


def _map_safetensors(path: Path, name: str) -> NDArray[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:  # checks the header against the size of the file
            names = list(file.keys())
        with path.open("rb") as raw:
            length = int.from_bytes(raw.read(8), "little")
            header = json.loads(raw.read(length))
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedError(f"{path} is not a readable safetensors file ({error}).") from error
    chosen = name if name in names else names[0] if len(names) == 1 else None
    if chosen is None:
        raise RequestError(
            f"{path} has no tensor {name!r}, but {', '.join(sorted(names)) or 'none'}.",
            "Name the one with the vectors: teacher.vectors.vector_column.",
        )
    entry = header[chosen]
    if entry["dtype"] not in _FLOATS or not all(entry["shape"]):
        raise RequestError(
            f"{path}: the tensor {chosen} is {entry['dtype']} {entry['shape']}, not rows of F16, F32 or F64.",
            "Save it as one of these.",
        )
    offset = 8 + length + entry["data_offsets"][0]
    return np.memmap(path, _FLOATS[entry["dtype"]], "r", offset, tuple(entry["shape"]))


def _texts_file(path: Path, options: VectorsConfig) -> Path:
    places = [path.with_suffix(suffix) for suffix in _TEXT_SUFFIXES]
    if options.texts is not None:
        places = [Path(options.texts).expanduser()]
    found = next((place for place in places if place.is_file() and place.suffix in _TEXT_SUFFIXES), None)
    if found is None:
        raise RequestError(
            f"There are no texts for the vectors of {path}: no {' or '.join(str(place) for place in places)}.",
            "Name a .txt (one text per line) or .jsonl file: teacher.vectors.texts.",
        )
    return found


def _beside(path: Path, table: NDArray[Any], texts_file: Path, options: VectorsConfig) -> Iterator[Block]:
    texts = _texts(texts_file, options.text_column)
    row = 0
    while block := list(islice(texts, _ROWS)):
        row += len(block)
        if row <= len(table):
            yield block, table[row - len(block) : row]
    if row != len(table):
        raise RequestError(
            f"{texts_file} has {row} texts, {path} has {len(table)} vectors.",
            "Give the texts in the order of the vectors, one for each; texts with line breaks need .jsonl.",
        )


def _texts(path: Path, column: str) -> Iterator[str]:
    for number, line in _lines(path):
        if path.suffix == ".txt":
            yield line
            continue
        value = _json(path, number, line)
        text = value.get(column) if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise DamagedError(f"{path}, line {number}: no text under {column!r}.")
        yield text


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that end in a line feed and nothing else, numbered from 1, without the mark that Windows puts first."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.removesuffix(b"\n").removesuffix(b"\r").decode()
            except UnicodeDecodeError as error:
                raise DamagedError(f"{path}, line {number}: not UTF-8 ({error.reason}).") from error
            yield number, text.removeprefix("\ufeff") if number == 1 else text


def _json(path: Path, number: int, line: str) -> Any:  # noqa: ANN401  checked by the caller
    try:
        return json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}, line {number}: {error}.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _jsonl(path: Path, options: VectorsConfig) -> Iterator[Block]:
    rows = (_row(path, number, line, options) for number, line in _lines(path))
    first, width = 1, 0
    while block := list(islice(rows, _ROWS)):
        width = width or len(block[0][1])
        for number, (_, vector) in enumerate(block, first):
            if len(vector) != width:
                raise DamagedError(f"{path}, line {number}: {len(vector)} components instead of {width}.")
        first += len(block)
        yield [text for text, _ in block], np.stack([vector for _, vector in block])


def _row(path: Path, number: int, line: str, options: VectorsConfig) -> tuple[str, NDArray[np.float64]]:
    value = _json(path, number, line)
    text = value.get(options.text_column) if isinstance(value, dict) else None
    numbers = value.get(options.vector_column) if isinstance(value, dict) else None
    if not isinstance(text, str) or not isinstance(numbers, list):
        raise DamagedError(
            f"{path}, line {number}: no text under {options.text_column!r} or no list under"
            f" {options.vector_column!r}.",
            "Name the keys: teacher.vectors.text_column and vector_column.",
        )
    try:
        vector = np.array(numbers)
    except ValueError as error:
        raise DamagedError(f"{path}, line {number}: the vector is ragged.") from error
    if vector.ndim != 1 or not len(vector) or vector.dtype.kind not in "fiu":
        raise DamagedError(f"{path}, line {number}: the vector is not a list of numbers.")
    return text, vector.astype(np.float64)


def _parquet(path: Path, options: VectorsConfig) -> Iterator[Block]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = [options.text_column, options.vector_column]
            lacking = [name for name in columns if name not in file.schema_arrow.names]
            if lacking:
                raise RequestError(
                    f"{path} has no column {lacking[0]!r}, but {', '.join(file.schema_arrow.names)}.",
                    "Name them: teacher.vectors.text_column and vector_column.",
                )
            first = 0
            for batch in file.iter_batches(_ROWS, columns=columns):
                yield _texts_of(path, batch, options, first), _vectors_of(path, batch, options, first)
                first += batch.num_rows
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as error:
        raise DamagedError(f"{path} is not a readable Parquet file ({error}).") from error


def _texts_of(path: Path, batch: pa.RecordBatch, options: VectorsConfig, first: int) -> list[str]:
    texts: list[Any] = batch.column(options.text_column).to_pylist()
    for row, text in enumerate(texts, first):
        if not isinstance(text, str):
            raise DamagedError(f"{path}, row {row}: no text under {options.text_column!r}.")
    return texts


def _vectors_of(path: Path, batch: pa.RecordBatch, options: VectorsConfig, first: int) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch.column(options.vector_column)
    kind = column.type
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not listed or not pa.types.is_floating(kind.value_type):
        raise RequestError(
            f"{path}: the column {options.vector_column} is {kind}, not lists of floating-point numbers.",
            "Name another column with teacher.vectors.vector_column.",
        )
    values = column.flatten()
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(~(lengths == lengths[0])) if len(lengths) else np.zeros(0, np.int64)
    if len(wrong) or values.null_count or (len(lengths) and not lengths[0] > 0):
        row = first + (int(wrong[0]) if len(wrong) else 0)
        raise DamagedError(
            f"{path}: vectors are missing, ragged or have gaps in the {batch.num_rows} rows from {first} on"
            f" (first other length: row {row})."
        )
    table: NDArray[Any] = values.to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
    return table
