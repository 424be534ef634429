"""The one place that configures logging; every process calls it once, when it starts."""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from backend.observability import context
from backend.observability.lines import NAMED, PLAIN, JsonLines, TextLines
from backend.observability.masking import keep_secret
from backend.settings import Settings

Process = Literal["server", "worker", "trainer"]
CHATTY = ("alembic", "celery", "kombu", "httpx", "httpx2", "httpcore2", "uvicorn")
"""They speak of each step; only their warnings are for people."""


def configure(
    settings: Settings,
    process: Process,
    *,
    level: int = logging.INFO,
    stream: TextIO | None = None,
    worker: str | None = None,
    force: bool = False,
) -> None:
    """Send log lines to `stream` (stderr). Where a host process has configured its own, that stays unless `force`."""
    context.identify(process=process, **({"worker": worker} if worker else {}))
    _keep_secrets(settings)
    root = logging.getLogger()
    if root.handlers and not force:
        return
    handler = logging.StreamHandler(stream or sys.stderr)
    text = TextLines(PLAIN if process == "trainer" else NAMED)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else text)
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _keep_secrets(settings: Settings) -> None:
    keep_secret(settings.token, settings.webhook_secret, *_addresses(settings))
    for url in (settings.database, settings.broker):
        try:
            keep_secret(str(make_url(url).password or ""))
        except ArgumentError:
            # Whoever uses it says what is wrong with it.
            continue


def _addresses(settings: Settings) -> list[str]:
    return [address.strip() for address in settings.webhook_urls.split(",")]
