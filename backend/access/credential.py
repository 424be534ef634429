"""Secrets that are shown once: made at random, kept as digests, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

SECRET_BYTES = 32
"""256 random bits: nobody guesses them, so a plain SHA-256 keeps them as well as a slow hash would."""
KEY_BYTES = 6


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret with a public key in it, by which its row is found without comparing secrets."""

    prefix: str
    key: str
    secret: str

    @property
    def text(self) -> str:
        """What its owner keeps."""
        return f"{self.prefix}-{self.key}-{self.secret}"

    @property
    def digest(self) -> str:
        """What is stored."""
        return digest(self.text)


def new(prefix: str) -> Credential:
    """Return a credential that nobody else has."""
    return Credential(prefix, secrets.token_hex(KEY_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def read(text: str, prefix: str) -> Credential | None:
    """Return what a text says of itself, or None where it is no such credential."""
    parts = text.split("-", 2)
    if len(parts) != 3 or parts[0] != prefix or len(parts[1]) != 2 * KEY_BYTES or not parts[1].isalnum():
        return None
    return Credential(*parts)


def digest(text: str) -> str:
    """Return the SHA-256 of a secret, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def proof(of: str, under: str) -> str:
    """Return the HMAC-SHA-256 of one secret under another: who has the second can check the first."""
    return hmac.new(under.encode(), of.encode(), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets, or their digests, in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
