"""One HTTP request for the missing part of a file, and the part that is there (RFC 9110, sections 13 and 14).

Beside `NAME.partial`, `partial.json` says which version of the file its bytes belong to. Bytes are appended only
when the server confirms that version, so two versions never mix.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from isoglot.artefact import read_json, write_json
from isoglot.config import DownloadConfig
from isoglot.disk import PARTIAL
from isoglot.errors import IsoglotError, RequestError
from isoglot.progress import Progress

if TYPE_CHECKING:
    import httpx

_STATE = "partial.json"
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # the same request may succeed later
_TRICKLE = 1 << 10  # fewer bytes than this in one read timeout: the server only holds us up
_MEGABYTE = 1e6
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True)
class Remote:
    """A file on the web.

    Attributes:
        url: http or https.
        check: raises `DamagedError` unless the file at a path is whole, which finds what a wrong length hides, and
            `RequestError` when it is not what was asked for.
        hint: what to do when the server has no such file.
    """

    url: str
    check: Callable[[Path], object]
    hint: str

    @property
    def public(self) -> str:
        """The URL without user name and password, for messages and records."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class AgainError(Exception):
    """An attempt failed, and another one may not.

    Args:
        reason: what the server did, as the rest of a sentence that begins with the URL.
        wait: seconds for which the server asked to be left alone.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Version:
    """Which content a server is sending.

    Attributes:
        validator: a strong ETag, else the date; empty: nothing would tell that the file has changed.
        total: bytes of the whole file; None: not announced.
        modified: the date; empty: not said.
    """

    validator: str = ""
    total: int | None = None
    modified: str = ""


def transfer(
    client: httpx.Client, remote: Remote, path: Path, config: DownloadConfig, progress: Progress
) -> Version:
    """Ask for what is missing of `path` and append it; return the version that is complete now.

    Raises:
        AgainError: something that may pass.
        RequestError: there is no such file.
        IsoglotError: the server refuses, sends too much, or leads away from http(s).
    """
    import httpx

    known, start = _resumable(path)
    if start and start == known.total:
        return known  # a process died between the last byte and the name
    wanted = {"Range": f"bytes={start}-", "If-Range": known.validator} if start else {}
    try:
        with client.stream("GET", remote.url, headers=wanted) as response:
            _require_success(response, remote, path)
            sent = _begin(response, path, known, start)
            start = start if response.status_code == 206 else 0
            _receive(response, path, start, sent.total, config, progress)
            return sent
    except (httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
        raise IsoglotError(f"{remote.public} cannot be followed ({error}).", remote.hint) from error
    except httpx.TransportError as error:
        raise AgainError(f"failed ({error or type(error).__name__})") from error


def partial(path: Path) -> Path:
    """Where the bytes of `path` lie until all are there."""
    return path.with_name(path.name + PARTIAL)


def arrived(path: Path) -> int:
    """Bytes of `path` that have arrived so far."""
    return partial(path).stat().st_size if partial(path).is_file() else 0


def forget(path: Path) -> None:
    """Remove what has arrived of `path`; its version first, so that nothing is ever appended to other bytes."""
    (path.parent / _STATE).unlink(missing_ok=True)
    partial(path).unlink(missing_ok=True)


def _resumable(path: Path) -> tuple[Version, int]:
    """Version and length of what has arrived, when it can be continued."""
    state = path.parent / _STATE
    if not state.is_file():
        return Version(), 0
    known, size = Version(**read_json(state)), arrived(path)
    if not known.validator or (known.total is not None and size > known.total):
        return Version(), 0
    return known, size


def _require_success(response: httpx.Response, remote: Remote, path: Path) -> None:
    """Sort answers into good ones, passing troubles and final ones."""
    hops = [hop.url.scheme for hop in (*response.history, response)]
    if hops[0] == "https" and "http" in hops:
        raise IsoglotError(f"{remote.public} redirects from https to http: refused.", remote.hint)
    status = response.status_code
    said = f"answered {status} {response.reason_phrase}".strip()
    if status == 416:
        forget(path)
        raise AgainError("has another file now: it ends before the bytes that had arrived")
    if status in _PASSING:
        raise AgainError(said, _retry_after(response.headers.get("retry-after", "")))
    if status not in (200, 206):
        family = RequestError if status in (404, 410) else IsoglotError
        raise family(f"{remote.public} {said}.", remote.hint)


def _retry_after(text: str) -> float:
    """Seconds of a Retry-After header, which holds seconds or a date (RFC 9110, section 10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except ValueError:
        return 0.0


def _begin(response: httpx.Response, path: Path, known: Version, start: int) -> Version:
    """Write down which version is coming, after removing the bytes of any other."""
    if response.status_code == 206:
        sent = _version(response)
        matched = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        same = sent.validator in ("", known.validator) and known.total in (None, sent.total)
        if not (same and matched and int(matched[1]) == start):
            forget(path)
            raise AgainError("sent another part than the one asked for")
        return dataclasses.replace(known, total=sent.total)
    forget(path)  # the server knows no ranges, or has a new version: all of it comes
    write_json(path.parent / _STATE, dataclasses.asdict(_version(response)))
    return _version(response)


def _version(response: httpx.Response) -> Version:
    tag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
    matched = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    length = matched[2] if matched else response.headers.get("content-length", "")
    return Version(
        # If-Range takes no weak tags: they stand for like content, not for equal bytes
        validator=tag if tag and not tag.startswith("W/") else modified,
        total=int(length) if length.isdigit() else None,
        modified=modified,
    )


def _receive(
    response: httpx.Response,
    path: Path,
    start: int,
    total: int | None,
    config: DownloadConfig,
    progress: Progress,
) -> None:
    """Append the body; nothing waits in memory, so what arrived before a kill need not be sent again."""
    cap = int(config.max_gigabytes * 1e9)
    label = f"downloading {path.name}" + (f" from byte {start}" if start else "")
    missing = None if total is None else (total - start) / _MEGABYTE
    size = start
    _require_room(total or 0, cap)
    with progress.task(label, missing, "MB") as task, partial(path).open("ab") as file:
        for piece in _steady(response, config.read_seconds):
            size += len(piece)
            _require_room(size, cap)
            file.write(piece)
            file.flush()
            task.advance(len(piece) / _MEGABYTE)
    if total is not None and size != total:
        raise AgainError(f"announced {total} bytes and sent {size}")


def _require_room(size: int, cap: int) -> None:
    if size > cap:
        raise IsoglotError(
            f"The file has more than {cap} bytes.",
            "Raise corpus.download.max_gigabytes if you trust the server.",
        )


def _steady(response: httpx.Response, window: float) -> Iterator[bytes]:
    """Yield the body as it arrives; a server that only trickles does not hold us up for ever."""
    began, got = time.monotonic(), 0
    for piece in response.iter_raw():
        yield piece
        got += len(piece)
        if (now := time.monotonic()) - began >= window:
            if got < _TRICKLE:
                raise AgainError(f"sent only {got} bytes in {window:.0f} s")
            began, got = now, 0
