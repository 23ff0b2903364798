"""One file from the web into the cache: continued after a cut, checked, and never there in part.

Everything of a download lies in a folder of its own:

    NAME             the whole file; its name appears last, so whoever sees it may use it
    download.json    its URL, sha256, size and date
    NAME.partial     what has arrived so far, with its version beside it (see `isoglot.corpus.transfer`)
    .lock            held while a process is at it
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from isoglot.artefact import digest_bytes, digest_file, read_json, write_json
from isoglot.config import DownloadConfig
from isoglot.corpus.transfer import AgainError, Remote, Version, arrived, forget, partial, transfer
from isoglot.disk import explaining_full_disk, sync
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.lock import exclusive
from isoglot.progress import SILENT, Progress
from isoglot.wheels import cache_folder

_RECORD = "download.json"
_REDIRECTS = 5
_NEW_GROUND = 1 << 20  # so many bytes more than ever before, and the attempts are counted anew


@dataclass(frozen=True)
class Downloaded:
    """A file in the cache whose content was compared with its record just now.

    Attributes:
        path: where it lies.
        sha256: of its content, in hexadecimal.
        modified: the server's date of the file; empty when it gave none.
    """

    path: Path
    sha256: str
    modified: str


def download(remote: Remote, config: DownloadConfig, progress: Progress = SILENT) -> Downloaded:
    """Return a file from the cache; the network is used only when it is not there yet.

    A cut transfer is continued from its last byte, by this call or by the next process, as long as the server
    still has the same version. What may pass (no connection, a timeout, 429, 5xx) is tried again
    `config.attempts` times with growing pauses.

    Raises:
        RequestError: not an http(s) URL, or the server has no such file.
        DamagedError: the file in the cache is not the one that was downloaded.
        IsoglotError: the download failed, is too large, or another process is at it.
    """
    folder = _folder(remote)
    path = folder / _file_name(remote.url)
    if not path.is_file():
        with exclusive(folder):
            if not path.is_file():  # the process before us may have finished it
                _fetch(remote, path, config, progress)
    record = read_json(folder / _RECORD)
    found = digest_file(path)
    if found != record["sha256"]:
        raise DamagedError(
            f"{path} is not what was downloaded from {remote.public} (sha256 differs).",
            f"Delete {folder} and run again to download it anew.",
        )
    return Downloaded(path, found, record["modified"])


def _folder(remote: Remote) -> Path:
    """A folder per URL: host and path, readable and free of accidents, and a digest of everything."""
    parts = urlsplit(remote.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestError(
            f"{remote.public} is no http or https address.", "Mend the URLs of corpus.download."
        )
    readable = re.sub(r"[^\w.-]+", "-", f"{parts.hostname}{parts.path}", flags=re.ASCII)
    return cache_folder() / "downloads" / f"{readable[:120]}-{digest_bytes(remote.public.encode())[:12]}"


def _file_name(url: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", urlsplit(url).path.rpartition("/")[2], flags=re.ASCII)
    return name[-100:].lstrip(".") or "index"


def _fetch(remote: Remote, path: Path, config: DownloadConfig, progress: Progress) -> None:
    """Try until the whole file is there or trying again is pointless."""
    import httpx

    timeout = httpx.Timeout(config.read_seconds, connect=config.connect_seconds)
    # identity: what arrives are the file's own bytes, which lengths and ranges count
    headers = {"User-Agent": f"isoglot/{version('isoglot')}", "Accept-Encoding": "identity"}
    attempt, furthest = 0, arrived(path)
    with httpx.Client(
        timeout=timeout, headers=headers, follow_redirects=True, max_redirects=_REDIRECTS
    ) as client:
        while True:
            attempt += 1
            try:
                with explaining_full_disk(path):
                    got = transfer(client, remote, path, config, progress)
                    return _publish(remote, path, got)
            except AgainError as trouble:
                if arrived(path) >= furthest + _NEW_GROUND:
                    attempt, furthest = 1, arrived(path)
                _pause(remote, trouble, attempt, config, progress)


def _publish(remote: Remote, path: Path, got: Version) -> None:
    """Check what arrived and give it its name; the record is on disk before the name."""
    try:
        remote.check(partial(path))
    except IsoglotError as error:
        forget(path)
        if not isinstance(error, DamagedError):
            raise  # whole, and still not what was asked for
        raise AgainError(f"sent a file that is not whole: {error.problem}") from error
    sync(partial(path))
    record = {"url": remote.public, "sha256": digest_file(partial(path)), "bytes": arrived(path)}
    write_json(path.parent / _RECORD, {**record, "modified": got.modified})
    partial(path).replace(path)
    forget(path)
    sync(path.parent)


def _pause(
    remote: Remote, trouble: AgainError, attempt: int, config: DownloadConfig, progress: Progress
) -> None:
    """Wait before the next attempt, as long as the server asks for, or twice as long as the time before.

    Raises:
        IsoglotError: it was the last attempt, or the server wants us to stay away for longer than we wait.
    """
    kept = "What arrived is kept; run the same command again to continue."
    if attempt >= config.attempts:
        raise IsoglotError(f"{remote.public} {trouble} (attempt {attempt}, the last).", kept) from trouble
    if trouble.wait > config.longest_wait_seconds:
        raise IsoglotError(
            f"{remote.public} {trouble} and asks to wait {trouble.wait:.0f} s.", kept
        ) from trouble
    seconds = max(trouble.wait, min(config.backoff_seconds * 2 ** (attempt - 1), config.longest_wait_seconds))
    with progress.task(f"{remote.public} {trouble}; waiting", seconds, "s") as task:
        time.sleep(seconds)
        task.advance(seconds)
