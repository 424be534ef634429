"""Headers of every answer. Pages bring a policy of their own; what is no page may load and run nothing."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

POLICY_OF_DATA = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
HEADERS = {
    "Content-Security-Policy": POLICY_OF_DATA,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
}
OPENER = ("Cross-Origin-Opener-Policy", "same-origin")


def with_headers(send: Send, scope: Scope, *, trustworthy: bool) -> Send:
    """Return a `send` that adds the headers an answer lacks.

    Browsers heed the opener's policy where they trust the address (TLS or loopback), and complain elsewhere.
    """

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if trustworthy:
                headers.setdefault(*OPENER)
        await send(message)

    return sending
