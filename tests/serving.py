"""A server on a port of its own, for tests and for the pictures of docs/pages.md."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from backend.settings import Settings
from eigenscope.server import build_app


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Run a server for these settings; give its address."""
    app = build_app(settings)
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.stopping.set()
        running.should_exit = True
        thread.join()
