"""One batch of texts to an embeddings server and back, tried again while there is a point in it.

Redirects are never followed, proxies never used: the connection goes to the very IP that `address` allowed.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.encode.tokens import clean_surrogates
from isoglot.errors import IsoglotError, RequestError
from isoglot.teacher.address import Address, check
from isoglot.teacher.answers import MalformedError, read_vectors
from isoglot.teacher_config import EndpointConfig

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

_CONNECT_SECONDS = 3.0  # for an IP while there is another; a lost first packet is sent again after one second
_SHOWN = 200  # characters of a server's own words
_PASSING = frozenset({408, 425, 429})  # and all from 500 on


class PassingError(Exception):
    """A failure that may not happen again; the message says what it was.

    Attributes:
        wait: seconds that the server asks to wait; 0: it does not say.
    """

    def __init__(self, problem: str, wait: float = 0.0) -> None:
        super().__init__(problem)
        self.wait = wait


class Pace:
    """Spreads the starts of requests evenly over time."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next start."""
        now = time.monotonic()
        start = max(now, self._next)
        self._next = start + self._gap
        await asyncio.sleep(start - now)


@dataclass(frozen=True)
class Call:
    """How batches are asked for.

    Attributes:
        address: where.
        options: how.
        key: sent as a bearer token; None: none.
        pace: of the requests.
    """

    address: Address
    options: EndpointConfig
    key: SecretStr | None
    pace: Pace

    async def __call__(
        self, client: httpx.AsyncClient, texts: Sequence[str], width: int | None
    ) -> NDArray[np.float32]:
        """Ask for a batch until it is answered, or until there is no point in asking again.

        Args:
            client: an open client.
            texts: with their prompts.
            width: of the vectors; None: not known yet.

        Returns:
            Float32 [len(texts), width], row i for text i.

        Raises:
            RequestError: the address is not allowed, or the server refuses key, model or texts.
            IsoglotError: it kept failing, or asks for a longer wait than the options allow.
        """
        longest = self.options.longest_wait_seconds
        for attempt in range(self.options.retries + 1):
            await self.pace.turn()
            try:
                return await self._once(client, texts, width)
            except PassingError as failure:
                problem, asked = str(failure), failure.wait
            if attempt == self.options.retries or asked > longest:
                break
            await asyncio.sleep(max(asked, min(self.options.backoff_seconds * 2**attempt, longest)))
        raise IsoglotError(
            f"{self.address} failed {attempt + 1} times; last: {problem}.",
            f"It asks to wait {asked:.0f} s. Finished chunks are kept: run the same command again then."
            if asked > longest
            else "Finished chunks are kept: run the same command again when the server is well.",
        )

    async def _once(
        self, client: httpx.AsyncClient, texts: Sequence[str], width: int | None
    ) -> NDArray[np.float32]:
        import httpx

        seconds = self.options.timeout_seconds
        try:
            async with asyncio.timeout(seconds):  # the whole exchange: a server may drip bytes for ever
                response, body = await self._post(client, texts)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise PassingError(f"no whole answer within {seconds:g} s") from error
        except httpx.ConnectError as error:
            if _is_certificate(error):
                raise RequestError(
                    f"{self.address} has no certificate that this machine trusts ({error}).",
                    "Correct the address, or name your organisation's certificates in SSL_CERT_FILE.",
                ) from error
            raise PassingError(f"no connection ({error})") from error
        except httpx.TransportError as error:
            raise PassingError(f"the connection broke ({type(error).__name__})") from error
        self._refuse_status(response, body)
        try:
            return read_vectors(body, len(texts), width)
        except MalformedError as error:
            raise PassingError(f"its answer has {error}") from error

    async def _post(self, client: httpx.AsyncClient, texts: Sequence[str]) -> tuple[httpx.Response, bytes]:
        """Ask at the first IP that answers: localhost is ::1 before it is 127.0.0.1, where most servers listen."""
        import httpx

        *others, last = await self._resolve()
        for ip in others:
            try:
                return await self._exchange(client, texts, ip, _CONNECT_SECONDS)
            except httpx.ConnectTimeout:
                continue
            except httpx.ConnectError as error:
                if _is_certificate(error):
                    raise
        return await self._exchange(client, texts, last, self.options.timeout_seconds)

    async def _exchange(
        self, client: httpx.AsyncClient, texts: Sequence[str], ip: str, connect_seconds: float
    ) -> tuple[httpx.Response, bytes]:
        import httpx

        headers = {
            "Host": self.address.authority,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # a packed answer could unpack to anything
        }
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key.get_secret_value()}"
        request = client.build_request(
            "POST",
            self.address.url(ip),
            content=self._question(texts),
            headers=headers,
            timeout=httpx.Timeout(self.options.timeout_seconds, connect=connect_seconds),
            extensions={"sni_hostname": self.address.host},
        )
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            return response, await self._read(response)
        finally:
            await response.aclose()

    async def _resolve(self) -> list[str]:
        """Look the host up anew and judge what comes back; the connection then goes to one of exactly these."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self.address.host, self.address.port, type=socket.SOCK_STREAM
            )
        except (socket.gaierror, UnicodeError) as error:
            raise PassingError(f"the host {self.address.host} cannot be found") from error
        ips = [str(entry[4][0]) for entry in found]
        check(self.address, ips, allow_private=self.options.allow_private, secret=self.key is not None)
        return ips

    def _question(self, texts: Sequence[str]) -> bytes:
        question: dict[str, Any] = {
            "model": self.address.model,
            "input": [clean_surrogates(text) for text in texts],
            "encoding_format": "base64" if self.options.base64 else "float",
        }
        if self.options.dimensions is not None:
            question["dimensions"] = self.options.dimensions
        return json.dumps(question).encode()

    async def _read(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise IsoglotError(f"{self.address} packs its answers, though asked not to.")
        limit = int(self.options.max_response_mb * 2**20)
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > limit:
                raise IsoglotError(
                    f"{self.address} answers with more than {self.options.max_response_mb:g} MB.",
                    "Lower endpoint.batch, or raise endpoint.max_response_mb.",
                )
        return bytes(body)

    def _refuse_status(self, response: httpx.Response, body: bytes) -> None:
        status = response.status_code
        if status == 200:
            return
        said = self._without_key(_words(body))
        if status >= 500 or status in _PASSING:
            raise PassingError(f"status {status}{said}", _retry_after(response.headers.get("retry-after")))
        if 300 <= status < 400:
            raise RequestError(
                f"{self.address} answers with a redirect ({status}), which is never followed.",
                "Give the address that it leads to, if you trust it.",
            )
        if status in (401, 403):
            held = f"the key in {self.options.key_env}" if self.key else "a request without a key"
            raise RequestError(
                f"{self.address} refuses {held} ({status}).",
                "Put a valid key into an environment variable and name that in teacher.endpoint.key_env.",
            )
        raise RequestError(
            f"{self.address} refuses the request with status {status}{said}.",
            f"Check the address and the model's name, {self.address.model}.",
        )

    def _without_key(self, words: str) -> str:
        """Take the key out of a server's words: some repeat what they were sent."""
        if self.key is not None:
            words = words.replace(self.key.get_secret_value(), "***")
        return f" ({words[:_SHOWN]})" if words else ""


def _is_certificate(error: httpx.ConnectError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _words(body: bytes) -> str:
    """What a server says about a failure, as one line."""
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
        error = content.get("error", content.get("message", "")) if isinstance(content, dict) else ""
        text = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    except (ValueError, RecursionError):
        text = re.sub(r"<[^>]*>", " ", text)
    return " ".join(text.split())


def _retry_after(value: str | None) -> float:
    """Seconds of a Retry-After header: a number, or a date."""
    if value is None:
        return 0.0
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
