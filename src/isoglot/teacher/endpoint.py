"""A server with an OpenAI-compatible `/v1/embeddings` call as a teacher.

The key comes from an environment variable and goes into one request header, nowhere else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.config import TeacherConfig
from isoglot.encode.unit import PROBES, is_unit, unit
from isoglot.errors import RequestError
from isoglot.teacher.address import parse_address
from isoglot.teacher.call import Call, Pace

if TYPE_CHECKING:
    from pydantic import SecretStr

T = TypeVar("T")
_PROBE_RETRIES = 2  # an address that is wrong from the start should be told within seconds


@dataclass(frozen=True)
class Endpoint:
    """A model behind an address.

    Attributes:
        call: asks for a batch.
        prompt: text put before every sentence.
        width: of its vectors; None while it is not known.
        normalise: whether vectors have unit length.
        scaled: whether they get it here.
    """

    call: Call
    prompt: str
    width: int | None = None
    normalise: bool = False
    scaled: bool = False

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        assert self.width is not None  # noqa: S101  open_endpoint asked for it
        return self.width

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i.

        Raises:
            RequestError: the address is not allowed, or the server refuses key, model or texts.
            IsoglotError: it kept failing.
        """
        if not texts:
            return np.zeros((0, self.width or 0), np.float32)
        vectors = np.concatenate(_complete(self._all(texts)))
        return unit(vectors) if self.scaled else vectors

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts have no vector: none, bool [len(texts)]."""
        return np.zeros(len(texts), bool)

    def space(self) -> dict[str, object]:
        """What can be known of the space from outside, and the digest over it: the model's name, never its host."""
        parts: dict[str, object] = {
            "weights": f"endpoint model {self.call.address.model}",
            "prompt": self.prompt,
            "normalise": self.normalise,
            "dimension": self.dimension,
        }
        return {**parts, "fingerprint": digest_json(parts)}

    async def _all(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Ask for all texts, some requests at a time, answers in order."""
        import httpx

        options = self.call.options
        places = asyncio.Semaphore(options.concurrency)
        async with httpx.AsyncClient(
            trust_env=False, timeout=options.timeout_seconds, verify=httpx.create_ssl_context()
        ) as client:

            async def one(part: Sequence[str]) -> NDArray[np.float32]:
                async with places:
                    return await self.call(client, [self.prompt + text for text in part], self.width)

            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(one(texts[at : at + options.batch]))
                        for at in range(0, len(texts), options.batch)
                    ]
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from None
        return [task.result() for task in tasks]


def open_endpoint(name: str, config: TeacherConfig) -> Endpoint:
    """Open an endpoint and ask it for one vector, to know the width and whether it has unit length.

    Args:
        name: `https://HOST/v1#MODEL`.
        config: how it is asked, prompt, normalise.

    Raises:
        RequestError: the address is not allowed, the key's variable is not set, or the server refuses or does not
            give the dimensions asked for.
        IsoglotError: the server kept failing.
    """
    options = config.endpoint
    call = Call(parse_address(name), options, _key(options.key_env), Pace(options.requests_per_minute))
    endpoint = Endpoint(call, config.prompt or "")
    few = options.model_copy(update={"retries": min(options.retries, _PROBE_RETRIES)})
    vectors = replace(endpoint, call=replace(call, options=few)).encode(PROBES[:1])
    if options.dimensions not in (None, vectors.shape[1]):
        raise RequestError(
            f"{call.address} gives {vectors.shape[1]} dimensions, though asked for {options.dimensions}.",
            "Leave out endpoint.dimensions; to shorten the vectors here: teacher.dimension.",
        )
    normalise = is_unit(vectors) if config.normalise is None else config.normalise
    return replace(endpoint, width=vectors.shape[1], normalise=normalise, scaled=bool(config.normalise))


def _key(name: str | None) -> SecretStr | None:
    """Read the key from the environment; whatever is wrong with it, it is not shown."""
    from pydantic import SecretStr

    if name is None:
        return None
    value = os.environ.get(name, "").strip()
    if not value:
        raise RequestError(
            f"The environment variable {name}, which endpoint.key_env names, is not set.",
            f"export {name}=...",
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise RequestError(f"The environment variable {name} does not hold a key that HTTP can carry.")
    return SecretStr(value)


def _complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop runs already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
