"""Who is told: addresses that the operator alone names, in the settings. No client ever gives one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from backend.errors import InvalidInput
from backend.settings import Settings
from backend.webhooks import signature


@dataclass(frozen=True, slots=True)
class Receiver:
    """One address. It may hold a secret, so only `name` is ever shown and only `digest` is stored."""

    url: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What stands for the address in the database."""
        return hashlib.sha256(self.url.encode()).hexdigest()

    @property
    def name(self) -> str:
        """The host and port, for people."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def receivers(settings: Settings) -> list[Receiver]:
    """Return the receivers in the order of the setting; raise a sentence that shows no address."""
    addresses = [address.strip() for address in settings.webhook_urls.split(",") if address.strip()]
    for number, address in enumerate(addresses, 1):
        if not _is_http(address):
            raise InvalidInput(
                f"EIGENSCOPE_WEBHOOK_URLS: address {number} of {len(addresses)} is none that begins with https:// "
                "or http:// and names a host; mend it"
            )
    if addresses and not settings.webhook_secret:
        raise InvalidInput(
            "EIGENSCOPE_WEBHOOK_SECRET is empty, so receivers could not tell our messages from others; set it, "
            "to what `openssl rand -hex 32` prints for example"
        )
    signature.key_of(settings.webhook_secret)
    return [Receiver(address) for address in dict.fromkeys(addresses)]


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
