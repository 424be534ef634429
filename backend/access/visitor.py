"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person or program behind a request."""

    name: str
    """The token's name; empty where the server asks for none, or where it is EIGENSCOPE_TOKEN."""
    read_only: bool = False
    signed_in: bool = False
    """Whether a browser's session brought it, which can be signed out of."""
    token_id: int | None = None


OPEN = Visitor("")
"""Anybody, where the server asks for no token."""
