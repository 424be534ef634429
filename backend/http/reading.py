"""What a token that only reads may ask for."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.types import Scope

from backend.http.forgery import SAFE_METHODS

COMPUTING = ("/api/v1/runs/preview", "/api/v1/width-plans/curve")
"""They take a body since an address has no room for it; they store nothing."""
PLANNING = "/api/v1/width-plans"
ALWAYS = ("/sign-out",)


def only_reads(scope: Scope) -> bool:
    """Return whether a request leaves everything as it is."""
    if scope["method"] in SAFE_METHODS:
        return True
    if scope["method"] != "POST":
        return False
    return scope["path"] in (*COMPUTING, *ALWAYS) or _is_preview(scope)


def _is_preview(scope: Scope) -> bool:
    # Exactly once and exactly so: what the endpoint makes of two of them is not guessed here.
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return scope["path"] == PLANNING and asked.get("preview") == ["true"]
