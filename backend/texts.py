"""Text that both databases can store, and UTF-8 can carry."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return the text; raise ValueError for what PostgreSQL cannot store: NUL and half a surrogate pair."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("the text holds a NUL or half a character; remove it")
    return text
