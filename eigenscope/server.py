"""The server: the API of `backend` and the pages of `frontend` in one uvicorn process."""

from __future__ import annotations

import errno
import gc
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from backend.app import API, create_app
from backend.errors import Unavailable
from backend.settings import Settings
from eigenscope.allocation import keep_memory
from eigenscope.demo import endpoints as demo
from frontend.site import add_site

SWITCH_SECONDS = 0.0001


def build_app(settings: Settings) -> FastAPI:
    """Return the whole application."""
    app = create_app(settings)
    app.include_router(demo.router, prefix=API)
    add_site(app)
    return app


class Server(uvicorn.Server):
    """Tells open event streams to end when the server is asked to, so that it need not wait for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note the signal, then leave as uvicorn does."""
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.stopping.set()
        super().handle_exit(sig, frame)


def demand_free_port(settings: Settings) -> None:
    """Raise a sentence instead of a traceback when the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = (
                    f"port {settings.port} on {settings.host} is in use; stop what listens there, "
                    "or take another with --port or EIGENSCOPE_PORT"
                )
            else:
                sentence = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            raise Unavailable(sentence) from None


def address(settings: Settings) -> str:
    """Return the URL that a person on this machine opens."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    demand_free_port(settings)
    config = uvicorn.Config(
        build_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        # Its lines go where all others go.
        log_config=None,
        timeout_graceful_shutdown=5,
        server_header=False,
        # The application itself knows whose forwarded headers to believe (backend/http/proxy.py).
        proxy_headers=False,
    )
    # uvicorn raises the signal again once it has ended: an end that was asked for is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    _settle()
    Server(config).run()


def _settle() -> None:
    """Set the interpreter up for many answers at a time.

    What is there for good is left out of every later garbage collection, each of which walks all of it: answers that
    make thousands of rows set off several, and 16,000 counts took 30 to 120 ms, and 30 since. And threads take turns
    sooner than after 5 ms: an answer needs a thread several times, and with fifty readers waited each time.
    """
    gc.collect()
    gc.freeze()
    keep_memory()
    sys.setswitchinterval(SWITCH_SECONDS)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
