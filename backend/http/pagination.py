"""Pages of lists: `limit` and an opaque `cursor`."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from backend.errors import InvalidInput

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=1000, description="Items a page.")]
Cursor = Annotated[
    str, Query(max_length=100, description="`next_cursor` of the page before; empty for the first.")
]


class Page(BaseModel, Generic[Item]):
    """One page; `next_cursor` is null on the last."""

    items: list[Item]
    total: int
    next_cursor: str | None


def offset_of(cursor: str) -> int:
    """Return how many items lie before the page."""
    if not cursor:
        return 0
    try:
        offset = int(base64.urlsafe_b64decode(cursor.encode()).decode())
    except (ValueError, binascii.Error):
        offset = -1
    if not 0 <= offset < 2**31:
        raise InvalidInput(f"cursor '{cursor}' is not one that this server gave; start without it")
    return offset


def cursor_after(offset: int, count: int, total: int) -> str | None:
    """Return the cursor of the page that follows."""
    following = offset + count
    return base64.urlsafe_b64encode(str(following).encode()).decode() if following < total and count else None
