"""A real HTTP server on loopback that serves files from memory and misbehaves as it is told, request by request."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Mischief:
    """What is wrong with one answer.

    Attributes:
        status: answered instead of a file, with `headers`.
        headers: added, or put in the place of the right ones; a value of None leaves one out.
        cut: bytes of the body after which the connection is closed.
        extra: bytes sent behind the body.
        ranges: whether Range is understood.
        pause: seconds of silence before every `piece` bytes.
    """

    status: int = 0
    headers: dict[str, str | None] = field(default_factory=dict)
    cut: int | None = None
    extra: bytes = b""
    ranges: bool = True
    pause: float = 0.0
    piece: int = 1 << 16


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    path: str
    headers: dict[str, str]

    @property
    def range(self) -> str:
        return self.headers.get("range", "")


class Web:
    """The files of a server, what it will do wrong, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.tags: dict[str, str] = defaultdict(lambda: '"one"')
        self.mischief: dict[str, deque[Mischief]] = defaultdict(deque)
        self.always: dict[str, Mischief] = {}
        self.log: list[Request] = []

    def put(self, path: str, data: bytes, *mischief: Mischief) -> str:
        """Serve `data` under a path, with something wrong in the first answers; return the URL."""
        self.files[path] = data
        self.mischief[path].extend(mischief)
        return self.url + path

    def asked(self, path: str) -> list[str]:
        """The Range header of every request for a path; empty where there was none."""
        return [request.range for request in self.log if request.path == path]


@contextmanager
def serving() -> Iterator[Web]:
    """Run a server on a free port until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.web = Web(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    web: Web


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        web, path = self.server.web, self.path
        web.log.append(Request(path, {name.lower(): value for name, value in self.headers.items()}))
        queue = web.mischief[path]
        wrong = queue.popleft() if queue else web.always.get(path, Mischief())
        data = web.files.get(path, web.files.get(urlsplit(path).path))
        self.close_connection = True
        if wrong.status or data is None:
            self._send(wrong.status or 404, {"Content-Length": "0", **wrong.headers}, b"", wrong)
            return
        headers: dict[str, str | None] = {"ETag": web.tags[path], "Content-Length": str(len(data))}
        start = self._start(web.tags[path]) if wrong.ranges else 0
        if start >= len(data) > 0 and start:
            headers |= {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"}
            self._send(416, headers, b"", wrong)
        elif start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            headers["Content-Length"] = str(len(data) - start)
            self._send(206, headers | wrong.headers, data[start:], wrong)
        else:
            self._send(200, headers | wrong.headers, data, wrong)

    def _start(self, tag: str) -> int:
        asked = self.headers.get("Range", "")
        if not asked or self.headers.get("If-Range", tag) != tag:
            return 0
        return int(asked.removeprefix("bytes=").rstrip("-"))

    def _send(self, status: int, headers: dict[str, str | None], body: bytes, wrong: Mischief) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        body = body[: wrong.cut] + wrong.extra
        try:
            for place in range(0, len(body), wrong.piece):
                time.sleep(wrong.pause)
                self.wfile.write(body[place : place + wrong.piece])
        except OSError:
            pass  # the client has had enough

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""
