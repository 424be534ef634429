"""A program that is told: a real HTTP server which keeps what it is sent and answers as it is bid."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Listener:
    """`answers` are the statuses of the next requests; then it answers 204."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    hold: threading.Event | None = None
    """While set, an answer waits for it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=within-the-address"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self.lock:
            self.heard.append((headers, body))
            return self.answers.pop(0) if self.answers else 204


@contextmanager
def listening(port: int = 0) -> Iterator[Listener]:
    """Listen on a port of 127.0.0.1, a free one by default."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = listener.take({key.lower(): value for key, value in self.headers.items()}, body)
            if listener.hold is not None:
                listener.hold.wait(20)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{listener.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    listener.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
