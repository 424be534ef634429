"""Keeps secrets out of log lines and messages."""

from __future__ import annotations

import re

MASK = "***"
SHORTEST = 6
"""A shorter secret would mask ordinary words, and is none."""
_PASSWORD = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_SIGNED = re.compile(r"\bwhsec_[\w+/=-]+")

_secrets: set[str] = set()


def keep_secret(*values: str) -> None:
    """Mask these values wherever they occur, for as long as this process lives."""
    _secrets.update(value for value in values if len(value) >= SHORTEST)


def mask(text: str) -> str:
    """Return the text without passwords in addresses, tokens in headers and the values that are to be kept secret."""
    # The longest first: one secret may be a part of another.
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, MASK)
    text = _PASSWORD.sub(rf"\g<before>:{MASK}@", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    return _SIGNED.sub(MASK, text)
