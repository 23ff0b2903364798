"""store.json: what decides the bytes of a teacher store's shards, checked byte for byte whenever it is opened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from isoglot.artefact import digest_json, read_json
from isoglot.disk import write_atomic
from isoglot.errors import DamagedError, RequestError
from isoglot.teacher.store_shard import Layout, StorePrecision

HEADER = "store.json"
_FORMAT = 2
_OWN_DIGEST = "store_sha256"  # of everything else in the header


@dataclass(frozen=True)
class Header:
    """What decides the bytes of a store's shards.

    Attributes:
        space: `encode.fingerprint.space` of the teacher, plus the precision of its arithmetic.
        dimension: components of a vector.
        chunk_rows: sentences per chunk.
        store_precision: how vectors are stored.
    """

    space: Mapping[str, object]
    dimension: int
    chunk_rows: int
    store_precision: StorePrecision

    @property
    def layout(self) -> Layout:
        """How wide a stored vector is."""
        return Layout(self.dimension, self.store_precision)

    def refuse_other(self, wanted: Header, folder: Path, next_step: str) -> None:
        """Compare with the header that somebody wants.

        Raises:
            RequestError: they differ; names the field.
        """
        found, asked = _fields(self), _fields(wanted)
        differing = sorted(key for key in asked.keys() | found.keys() if asked.get(key) != found.get(key))
        if differing:
            field = differing[0]
            raise RequestError(
                f"{folder} holds vectors of another space: {field} is {_short(found.get(field))} there and"
                f" {_short(asked.get(field))} now.",
                next_step,
            )


def write_header(folder: Path, header: Header) -> None:
    """Write store.json, which makes the folder a store."""
    write_atomic(folder / HEADER, _header_text({"format": _FORMAT, **asdict(header)}))


def read_header(folder: Path) -> Header:
    """Read store.json.

    Raises:
        RequestError: another version of isoglot wrote it.
        DamagedError: it is not, byte for byte, what was written.
    """
    path = folder / HEADER
    raw = read_json(path)
    own = raw.pop(_OWN_DIGEST, None) if isinstance(raw, dict) else None
    if isinstance(raw, dict) and raw.get("format") != _FORMAT and own in (None, digest_json(raw)):
        raise RequestError(
            f"{folder} has store format {raw.get('format')}, this isoglot reads {_FORMAT}.",
            f"Delete {folder} and run isoglot embed again.",
        )
    if not isinstance(raw, dict) or path.read_bytes() != _header_text(raw).encode():
        raise DamagedError(
            f"{path} does not match its own sha256: it was changed or damaged.",
            f"Delete {folder} and run isoglot embed again.",
        )
    del raw["format"]
    return Header(**raw)


def _header_text(raw: Mapping[str, object]) -> str:
    return json.dumps({**raw, _OWN_DIGEST: digest_json(raw)}, indent=2, ensure_ascii=False) + "\n"


def _fields(header: Header) -> dict[str, object]:
    """Name everything that must be equal, without the fingerprint, which would hide what differs."""
    named = {"chunk_rows": header.chunk_rows, "store_precision": header.store_precision}
    return {key: value for key, value in {**header.space, **named}.items() if key != "fingerprint"}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:12] + "…"
