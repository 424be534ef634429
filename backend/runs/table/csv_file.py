"""A table of runs as a file for spreadsheets: values as they are stored, not as pages round them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from backend.runs.table.columns import BUILT_IN, Column, TableRow, Value

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def csv_of(rows: Sequence[TableRow], columns: Sequence[Column]) -> str:
    """Return the rows with id and name before the columns, under the columns' keys."""
    first = [BUILT_IN["id"], BUILT_IN["name"]]
    shown = first + [column for column in columns if column not in first]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_defused(column.key) for column in shown])
    writer.writerows([_cell(column.read(row)) for column in shown] for row in rows)
    return text.getvalue()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return _defused(", ".join(value) if isinstance(value, list) else value)


def _defused(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
