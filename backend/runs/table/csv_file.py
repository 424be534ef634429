"""A table of runs as a file for spreadsheets: values as they are stored, not as pages round them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from backend.runs.table.columns import BUILT_IN, Column, TableRow, Value

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def csv_of(rows: Sequence[TableRow], columns: Sequence[Column]) -> str:
    """Return the rows with id, name and tags before the columns, under the columns' keys and units."""
    first = [BUILT_IN[key] for key in ("id", "name", "tags")]
    shown = first + [column for column in _with_top1(rows, columns) if column not in first]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_defused(_heading(column)) for column in shown])
    writer.writerows([_cell(column.read(row)) for column in shown] for row in rows)
    return text.getvalue()


def _with_top1(rows: Sequence[TableRow], columns: Sequence[Column]) -> list[Column]:
    """Return the columns with top-1 after AP, where a classifier among the rows has it in AP's place."""
    ap, top1 = BUILT_IN["ap"], BUILT_IN["top1"]
    if ap not in columns or top1 in columns or all(row.run.top1 is None for row in rows):
        return list(columns)
    place = list(columns).index(ap) + 1
    return [*columns[:place], top1, *columns[place:]]


def _heading(column: Column) -> str:
    """Return a column's key and what its numbers are in: accuracies are stored as 0…1, times in seconds."""
    unit = {"fraction": " [0-1]", "seconds": " [s]"}.get(column.kind, "")
    return f"{column.key}{unit}"


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
