"""Which kind of index an address means.

- `FOLDER` of a teacher store; `FILE` with .npy, .safetensors, .parquet or .jsonl; .faiss or .index for FAISS
- `FOLDER/TABLE.lance` or `lancedb:FOLDER#TABLE`
- `qdrant:FOLDER#COLLECTION` or `qdrant:http://HOST:6333#COLLECTION`
- `postgresql://USER@HOST/DATABASE?table=NAME`
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from isoglot.compat_config import IndexConfig
from isoglot.errors import RequestError
from isoglot.evaluate.indexes import faiss_file, vector_file
from isoglot.evaluate.indexes.index import Index
from isoglot.evaluate.indexes.lance_table import open_table
from isoglot.evaluate.indexes.postgres_address import parse_postgres
from isoglot.evaluate.indexes.postgres_table import open_postgres
from isoglot.evaluate.indexes.qdrant_collection import open_qdrant
from isoglot.evaluate.indexes.teacher_store import open_store
from isoglot.teacher.store_header import HEADER

_KNOWN = (
    "Give a store, a .npy, .parquet, .jsonl, .safetensors or .faiss file, lancedb:FOLDER#TABLE,"
    " qdrant:FOLDER#COLLECTION, qdrant:http://HOST:6333#COLLECTION or postgresql://USER@HOST/DATABASE?table=NAME."
)


def open_index(address: str, config: IndexConfig) -> AbstractContextManager[Index]:
    """Open an index by its address, for reading, until the context ends.

    Raises:
        RequestError: no kind of index has such an address, an extra is not installed, or the index is empty.
        DamagedError: a file is cut or broken.
        IsoglotError: a server does not answer.
    """
    if re.match("postgres(ql)?://", address):
        return open_postgres(parse_postgres(address), config)
    if address.startswith("qdrant:"):
        place, collection = _parts(address)
        return open_qdrant(_without_user(place), collection, config)
    return nullcontext(_open_local(address, config))


def _open_local(address: str, config: IndexConfig) -> Index:
    if address.startswith("lancedb:"):
        place, table = _parts(address)
        return open_table(Path(place).expanduser(), table, config)
    path = Path(address).expanduser()
    if path.suffix == ".lance" and path.is_dir():
        return open_table(path.parent, path.stem, config)
    if (path / HEADER).is_file():
        return open_store(path, config)
    if path.suffix in faiss_file.SUFFIXES:
        return faiss_file.open_faiss(path, config)
    if path.suffix in vector_file.SUFFIXES:
        return vector_file.open_file(path, config)
    shown = re.sub("//.*@", "//", address)  # a password may hold a slash
    raise RequestError(f"{shown} is no index that isoglot reads.", _KNOWN)


def _parts(address: str) -> tuple[str, str]:
    scheme, _, rest = address.partition(":")
    place, _, name = rest.partition("#")
    if not place or not name:
        raise RequestError(f"{scheme}: needs a place and a name.", _KNOWN)
    return place, name


def _without_user(place: str) -> str:
    plain = place.startswith(("http://", "https://")) and not re.search("[@?]", place)
    if "://" in place and not plain:
        raise RequestError(
            "The Qdrant address is not http or https, or holds a user, password or query.",
            "Write qdrant:https://HOST:6333#COLLECTION, and name the variable with the API key with --key-env.",
        )
    return place
