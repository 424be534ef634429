"""Rows by what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from backend.runs.table.columns import BUILT_IN, Column, TableRow, Value
from backend.runs.table.order import arranged


@dataclass(frozen=True)
class Mean:
    """Of a column over the runs of a group that have a value; the deviation is None for one run."""

    value: float
    deviation: float | None
    runs: int


@dataclass(frozen=True)
class Group:
    """The runs that share a value; None for those that have none."""

    value: Value
    rows: list[TableRow]

    @property
    def mean_ap(self) -> Mean | None:
        """The mean AP of its runs."""
        return self.mean(BUILT_IN["ap"])

    def mean(self, column: Column) -> Mean | None:
        """Return the mean of a column over its runs, None where none of them has a number."""
        values = [column.read(row) for row in self.rows]
        numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if not numbers:
            return None
        return Mean(fmean(numbers), stdev(numbers) if len(numbers) > 1 else None, len(numbers))


def grouped(rows: Sequence[TableRow], by: Column) -> list[Group]:
    """Return the groups in the order of their values; a run with several tags is in the group of each."""
    found: dict[tuple[type, Value], list[TableRow]] = {}
    for row in rows:
        for value in _values(by.read(row)):
            # True equals 1 and 1.0 equals 1, but only the latter two are one setting.
            kind = bool if isinstance(value, bool) else object
            found.setdefault((kind, value), []).append(row)
    return arranged([(value, Group(value, some)) for (_, value), some in found.items()])


def _values(value: Value) -> list[Value]:
    if isinstance(value, list):
        return list(dict.fromkeys(value)) or [None]
    return [value or None] if isinstance(value, str) else [value]
