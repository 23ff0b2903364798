"""A server on loopback, an empty cache, and options that do not wait long."""

import pytest

import loopback
from isoglot.config import DownloadConfig


@pytest.fixture
def web(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOGLOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with loopback.serving() as server:
        yield server


@pytest.fixture
def hurried(web):
    """Options that give up soon, with the server as every base URL."""
    return DownloadConfig(
        opus_url=web.url, opus_index_url=f"{web.url}/opusapi/", tatoeba_url=web.url,
        attempts=3, backoff_seconds=0.01, longest_wait_seconds=1.5, connect_seconds=5, read_seconds=20,
    )  # fmt: skip
