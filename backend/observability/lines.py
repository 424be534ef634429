"""One line for each thing that is logged: words for people, or JSON for programs. Passwords and tokens are masked.

Code logs with the standard library: `_log.info("run %d claimed", run_id)`. `extra={"fields": {…}}` adds to the JSON.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from backend.observability import context
from backend.observability.masking import mask

PLAIN = "%(asctime)s %(levelname)s %(message)s"
"""A trainer's: its lines stand in the log of a run's page, which reads the level from them."""
NAMED = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class TextLines(logging.Formatter):
    """Words. Where a line is about a request, its id stands at the end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the lines of a traceback below it."""
        return mask(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """Return the line itself: a line break within a run's name begins no line of its own."""
        request = context.request_id.get()
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        return f"{line} (request {request})" if request else line


class JsonLines(logging.Formatter):
    """One JSON object: time, level, logger, event, message, and what is known of run, worker and request.

    `event` is what was said before numbers and names were put into it, so that lines of one kind can be counted.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the object on one line."""
        message = record.getMessage()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": getattr(record, "event", None) or str(record.msg),
            "message": message,
            **context.fields(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({key: _masked(value) for key, value in line.items()}, default=str)


def _masked(value: Any) -> Any:
    return mask(value) if isinstance(value, str) else value


def as_words(line: str) -> list[str]:
    """Return a trainer's JSON line as the lines that it would have printed as words; any other line as it is."""
    if not line.startswith('{"time"'):
        return [line]
    try:
        said = json.loads(line)
        time = datetime.fromisoformat(said["time"]).astimezone()
        stamp = f"{time:%Y-%m-%d %H:%M:%S},{time.microsecond // 1000:03d}"
        words = f"{stamp} {said['level']} {said['message']}"
    except (ValueError, KeyError, TypeError):
        return [line]
    return [*words.split("\n"), *str(said.get("traceback", "")).splitlines()]
