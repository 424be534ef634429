"""Several runs in one address: their ids separated by commas."""

from __future__ import annotations

from backend.errors import InvalidInput

RUNS_AT_MOST = 16


def run_ids(text: str) -> list[int]:
    """Read ids separated by commas, each once, in the order given."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise InvalidInput(f"runs '{text[:80]}' must be ids separated by commas, such as 2,3")
    ids = list(dict.fromkeys(int(part) for part in parts))
    if len(ids) > RUNS_AT_MOST:
        raise InvalidInput(f"{len(ids)} runs are too many for one view; choose at most {RUNS_AT_MOST}")
    return ids
