"""What a receiver is sent: one JSON object and the headers by which it is known."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.models import WebhookEvent
from backend.observability.masking import mask
from backend.settings import Settings
from backend.webhooks import signature


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it is told. Its id stays the same however often it is sent."""

    id: str
    event: str
    created_at: datetime
    run: dict[str, Any] | None
    link: str | None

    def body(self) -> bytes:
        """Return the JSON, the same bytes at every attempt."""
        told = {
            "id": self.id,
            "event": self.event,
            "created_at": self.created_at.isoformat(),
            "run": self.run,
            "link": self.link,
        }
        return json.dumps(told, allow_nan=False).encode()

    def headers(self, secret: str, body: bytes) -> dict[str, str]:
        """Return the headers of an attempt made now."""
        timestamp = int(time.time())
        return {
            "Content-Type": "application/json",
            "User-Agent": "Eigenscope",
            "Webhook-Id": self.id,
            "Webhook-Timestamp": str(timestamp),
            "Webhook-Signature": signature.sign(secret, self.id, timestamp, body),
        }


def message_of(event: WebhookEvent, settings: Settings) -> Message:
    """Return an event as a message; an error's words may quote an address, so passwords are masked in them."""
    run = {**event.facts, "error": mask(event.facts["error"]) if event.facts["error"] else None}
    return Message(event.key, event.event, event.created_at, run, link(settings, event.run_id))


def link(settings: Settings, run_id: int) -> str | None:
    """Return the address of the run's page, if the operator has said under which name people find this server."""
    base = settings.public_url.rstrip("/")
    return f"{base}/runs/{run_id}" if base else None
