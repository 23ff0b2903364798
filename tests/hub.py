"""A hub of one dataset on loopback: as much of the Hugging Face API as `datasets` asks for when it streams."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" + 34 * "0"


class Hub(ThreadingHTTPServer):
    """Serves `files` of the dataset `name` at one commit and notes every path it was asked for."""

    daemon_threads = True

    def __init__(self, name: str, files: dict[str, bytes], card: dict[str, str], commit: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.files, self.card, self.commit = name, files, card, commit
        self.log: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(name: str, files: dict[str, bytes], card: dict[str, str], commit: str = COMMIT) -> Iterator[Hub]:
    hub = Hub(name, files, card, commit)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hub, path = self.server, self.path.partition("?")[0]
        hub.log.append(f"{self.command} {path}")
        api = f"/api/datasets/{hub.name}"
        if path.startswith(f"{api}/tree/{hub.commit}"):
            self._json(self._tree(path.removeprefix(f"{api}/tree/{hub.commit}").strip("/")))
        elif path == api or path.startswith(f"{api}/revision/"):
            names = [{"rfilename": name} for name in hub.files]
            self._json(
                {"id": hub.name, "sha": hub.commit, "siblings": names, "cardData": hub.card, "private": False}
            )
        elif path.startswith(f"/datasets/{hub.name}/resolve/{hub.commit}/"):
            self._file(hub.files.get(path.partition(f"{hub.commit}/")[2]))
        else:
            self._json({"error": "not found"}, 404)

    do_HEAD = do_GET  # noqa: N815  the name http.server looks for

    def _tree(self, folder: str) -> list[dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        for name, data in self.server.files.items():
            rest = name.removeprefix(f"{folder}/" if folder else "")
            if folder and rest == name:
                continue
            first, slash, _ = rest.partition("/")
            place = f"{folder}/{first}" if folder else first
            entry = {"path": place, "size": 0 if slash else len(data), "oid": hashlib.sha1(data).hexdigest()}
            found[place] = {"type": "directory" if slash else "file", **entry}
        return list(found.values())

    def _file(self, data: bytes | None) -> None:
        if data is None:
            self._send(404, {"X-Error-Code": "EntryNotFound"}, b"")
            return
        tag, status, headers = hashlib.sha1(data).hexdigest(), 200, {}
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        if asked:
            first, last = asked.split("-")
            end = min(int(last or len(data)), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            data, status = data[int(first) : end + 1], 206
        self._send(status, {"ETag": f'"{tag}"', **headers}, data)

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {
            **headers,
            "X-Repo-Commit": self.server.commit,
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""
