"""A Qdrant collection as an index: of a server, or of a folder that this process opens itself."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from isoglot.compat_config import IndexConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.indexes.index import Documents, IndexFacts, chosen_metric, documents, refuse_empty
from isoglot.evaluate.indexes.metric import Metric

if TYPE_CHECKING:
    from qdrant_client import QdrantClient
    from qdrant_client.http.models import ScoredPoint

_METRICS: dict[str, Metric] = {"Cosine": "cosine", "Dot": "dot", "Euclid": "l2"}
_BATCH = 64  # queries of one request
_SECONDS = 60  # for one request


class QdrantCollection:
    """An open Qdrant collection.

    Args:
        facts: what it is.
        client: connected.
        collection: its name.
        fields: payload key of the texts, payload key of ids ("" for the points' own), name of the vector ("" for the
            unnamed one).
    """

    def __init__(
        self, facts: IndexFacts, client: QdrantClient, collection: str, fields: tuple[str, str, str]
    ) -> None:
        self.facts = facts
        self._client, self._collection = client, collection
        self._text, self._id, self._vector = fields

    def sample(self, count: int) -> Documents:
        """Give random documents."""
        from qdrant_client.models import Sample, SampleQuery

        with _explained(self.facts.name):
            answer = self._client.query_points(
                self._collection,
                query=SampleQuery(sample=Sample.RANDOM),
                limit=count,
                with_vectors=[self._vector] if self._vector else True,
                with_payload=self._payload(),
            )
        return self._documents(answer.points)

    def search(self, queries: NDArray[np.float32], k: int) -> list[Documents]:
        """Find neighbours as Qdrant does."""
        from qdrant_client.models import QueryRequest

        requests = [
            QueryRequest(
                query=query.tolist(),
                using=self._vector or None,
                limit=k,
                with_vector=[self._vector] if self._vector else True,
                with_payload=self._payload(),
            )
            for query in queries
        ]
        found: list[Documents] = []
        for start in range(0, len(requests), _BATCH):
            with _explained(self.facts.name):
                answers = self._client.query_batch_points(self._collection, requests[start : start + _BATCH])
            found += [self._documents(answer.points) for answer in answers]
        return found

    def _payload(self) -> list[str]:
        return [key for key in (self._text, self._id) if key]

    def _documents(self, points: Sequence[ScoredPoint]) -> Documents:
        found = [(point, self._vector_of(point)) for point in points]
        held = [(point, point.payload or {}, vector) for point, vector in found if vector is not None]
        return documents(
            [payload.get(self._id) if self._id else point.id for point, payload, _ in held],
            [payload.get(self._text) for _, payload, _ in held],
            [vector for _, _, vector in held],
            self.facts.name,
        )

    def _vector_of(self, point: ScoredPoint) -> object:
        return point.vector.get(self._vector) if isinstance(point.vector, dict) else point.vector


@contextmanager
def open_qdrant(address: str, collection: str, config: IndexConfig) -> Iterator[QdrantCollection]:
    """Open a collection.

    Args:
        address: a folder, or http://HOST:PORT or https://HOST:PORT.
        collection: its name.
        config: fields, and the name of the environment variable with the API key.

    Raises:
        RequestError: the client is not installed, there is no such collection, it is empty, it ranks by something
            else than cosine, dot or l2, or a key would travel unencrypted.
        IsoglotError: the server does not answer, or another process has the folder open.
    """
    label = f"qdrant:{address}#{collection}"
    client = connect(address, config.key_env, label)
    try:
        yield of_client(client, collection, config, label)
    finally:
        client.close()


def of_client(client: QdrantClient, collection: str, config: IndexConfig, label: str) -> QdrantCollection:
    """Open a collection of a client that is connected already, such as one in memory.

    Raises:
        RequestError: see `open_qdrant`.
        IsoglotError: the server does not answer.
    """
    with _explained(label):
        if not client.collection_exists(collection):
            raise RequestError(f"There is no collection {label}.", "Write qdrant:FOLDER#COLLECTION.")
        kinds = client.get_collection(collection).config.params.vectors
        rows = client.count(collection, exact=True).count
    named = kinds if isinstance(kinds, dict) else {"": kinds} if kinds is not None else {}
    vector = config.vector_column if config.vector_column is not None else next(iter(named), "")
    if vector not in named or (config.vector_column is None and len(named) > 1):
        raise RequestError(
            f"{label} has the vectors {', '.join(sorted(named)) or 'none'}.",
            "Name one with --vector-column.",
        )
    stated = named[vector].distance.value
    if stated not in _METRICS:
        raise RequestError(f"{label} ranks by {stated}.", "isoglot compares Cosine, Dot and Euclid.")
    refuse_empty(label, rows)
    metric = chosen_metric(config.metric, _METRICS[stated], "cosine", label)
    facts = IndexFacts(label, "Qdrant collection", rows, named[vector].size, metric)
    return QdrantCollection(facts, client, collection, (config.text_column, config.id_column or "", vector))


def connect(address: str, key_env: str | None, label: str) -> QdrantClient:
    """Connect to a server, or open a folder.

    Raises:
        RequestError: see `open_qdrant`.
        IsoglotError: another process has the folder open.
    """
    try:
        from qdrant_client import QdrantClient
    except ModuleNotFoundError as error:
        raise RequestError(f"{label} needs Qdrant's client.", "Run: pip install 'isoglot[qdrant]'") from error
    if address.startswith(("http://", "https://")):
        # as a header, because the argument api_key warns of http even to this machine
        headers = {} if key_env is None else {"api-key": _key(address, key_env)}
        port = urlsplit(address).port or 6333
        return QdrantClient(
            url=address, port=port, headers=headers, timeout=_SECONDS, check_compatibility=False
        )
    folder = Path(address).expanduser()
    if not (folder / "meta.json").is_file():  # opening would make it
        raise RequestError(f"{folder} is not a folder of Qdrant.", "Write qdrant:FOLDER#COLLECTION.")
    try:
        return QdrantClient(path=str(folder))
    except RuntimeError as error:
        raise IsoglotError(
            f"Another process has {folder} open.", "End it, or run a Qdrant server for both."
        ) from error


def _key(address: str, key_env: str) -> str:
    parts = urlsplit(address)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise RequestError(
            f"{parts.hostname} would get the key unencrypted.", "Use https, or leave out --key-env."
        )
    key = os.environ.get(key_env)
    if not key:
        raise RequestError(f"The environment variable {key_env} is not set.", "Put the API key in it.")
    return key


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _explained(label: str) -> Iterator[None]:
    """Turn what the client raises into one paragraph."""
    from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        refused = error.status_code in (401, 403)
        step = "Name the environment variable with the API key with --key-env." if refused else ""
        raise IsoglotError(
            f"The server of {label} answered {error.status_code} {error.reason_phrase}.", step
        ) from error
    except ApiException as error:
        raise IsoglotError(f"The server of {label} does not answer ({error}).", "Is it running?") from error
