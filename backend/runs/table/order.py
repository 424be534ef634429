"""The order of rows: numbers by size, texts with their numbers by size, what is missing last either way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from backend.runs.table.columns import Column, TableRow, Value

_DIGITS = re.compile(r"(\d{1,18})")
"""Not more at once: Python refuses to read a number of thousands of digits."""
Item = TypeVar("Item")


def ordered(rows: Iterable[TableRow], by: Column, downwards: bool) -> list[TableRow]:
    """Return the rows in a column's order; those that are equal newest first."""
    newest_first = sorted(rows, key=lambda row: row.run.id, reverse=True)
    return arranged([(by.read(row), row) for row in newest_first], downwards)


def arranged(pairs: Sequence[tuple[Value, Item]], downwards: bool = False) -> list[Item]:
    """Return the items in the order of their values; what has none is last, and equals stay as they stand."""
    present = [(place(value), item) for value, item in pairs if not _missing(value)]
    missing = [item for value, item in pairs if _missing(value)]
    present.sort(key=lambda pair: pair[0], reverse=downwards)
    return [item for _, item in present] + missing


def _missing(value: Value) -> bool:
    return value is None or value in ("", [])


def place(value: Value) -> tuple[Any, ...]:
    """Return what a value is sorted by: numbers before moments before texts, "run 2" before "run 10"."""
    if isinstance(value, int | float):
        return (0, value)
    if isinstance(value, datetime):
        return (1, value)
    text = ", ".join(value) if isinstance(value, list) else str(value)
    parts = _DIGITS.split(text.casefold())
    # Odd places hold digits; a text begins with a text, perhaps an empty one.
    return (2, [int(part) if k % 2 else part for k, part in enumerate(parts)], text)
