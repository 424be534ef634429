"""Values of the table as people read them."""

from __future__ import annotations

from datetime import datetime

from backend.runs.table.columns import Column, Value
from frontend import formats


def cell(column: Column, value: Value) -> str:
    """Write a value of a column; a dash where there is none."""
    if value is None or value == "":
        return formats.DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(column.kind, value)
    if isinstance(value, datetime):
        return formats.moment(value)
    return ", ".join(value) if isinstance(value, list) else value


def _number(kind: str, value: float) -> str:
    if kind == "fraction":
        return formats.percent(value)
    if kind == "count":
        return formats.count(value)
    if kind == "seconds":
        return f"{value:.2g} s" if 0 < value < 10 else formats.duration(value)
    if kind == "setting":
        return f"{value:g}" if isinstance(value, float) else str(value)
    return formats.integer(value) if isinstance(value, int) else f"{value:.4g}"


def group_label(column: Column, value: Value) -> str:
    """Name a group by the value that its runs share."""
    if value is None or value == "":
        return {"tags": "no tag", "dataset": "no dataset"}.get(column.key, f"no {column.label}")
    text = cell(column, value)
    return f"{column.label} {text}" if isinstance(value, bool | int | float) else text
