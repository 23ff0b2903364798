"""A real embeddings server on the loopback address, that misbehaves on request."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

WIDTH = 8


def vector_of(text, width=WIDTH):
    """A unit vector that depends on nothing but the text."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = np.random.default_rng(seed).normal(size=width)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass
class Reply:
    """What goes back: a body, or raw bytes written to the socket as they are."""

    body: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    length: int | None = None  # what Content-Length claims, when it lies
    drip: float = 0.0  # seconds between single bytes


@dataclass
class Request:
    """What came in."""

    number: int  # from 0
    path: str
    headers: dict
    question: dict
    at: float


def answer(question, width=WIDTH, change=None):
    """The right answer, its list of items passed through `change`."""
    items = [
        {"object": "embedding", "index": number, "embedding": encoded(text, question, width)}
        for number, text in enumerate(question["input"])
    ]
    return Reply(json.dumps({"object": "list", "data": change(items) if change else items}).encode())


def encoded(text, question, width=WIDTH):
    vector = vector_of(text, question.get("dimensions") or width)
    if question.get("encoding_format") == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(number) for number in vector]


class Server:
    """A running server.

    Attributes:
        behave: gives the reply to a request.
        requests: all that came in.
        most: largest number of requests in work at the same time.
    """

    def __init__(self, behave: Callable[[Request], Reply]) -> None:
        self.behave = behave
        self.requests: list[Request] = []
        self.most = self._now = 0
        self._lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1#tiny"

    def enter(self, path, headers, question):
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            request = Request(len(self.requests), path, headers, question, time.monotonic())
            self.requests.append(request)
        return request

    def leave(self):
        with self._lock:
            self._now -= 1

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                request = server.enter(self.path, dict(self.headers), question)
                try:
                    self.reply(server.behave(request))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    server.leave()

            def reply(self, reply):
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(reply.length or len(reply.body)))
                self.end_headers()
                if reply.drip:
                    for byte in reply.body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(reply.drip)
                else:
                    self.wfile.write(reply.body)
                if reply.length:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler


@contextmanager
def running(behave=lambda request: answer(request.question), tls=None):
    """Run a server; with `tls`, an SSLContext, over https."""
    server = Server(behave)
    if tls is not None:
        server.http.socket = tls.wrap_socket(server.http.socket, server_side=True)
        server.http.handle_error = lambda *_: None  # a client that refuses our certificate is no error here
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join(5)
