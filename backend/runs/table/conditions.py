"""Filters such as `ap>=0.3`, `training.lr=0.01`, `notes~warm-up`, `loss:min<20%`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.runs.table.columns import Column, TableRow, Value
from backend.runs.table.lookup import column
from backend.runs.table.numbers import moment, number

_PARTS = re.compile(r"(.+?)(!=|>=|<=|!~|=|<|>|~)(.*)", re.DOTALL)
"""Blanks are taken off afterwards: within the expression they would be tried in every way."""
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_OPPOSITE = {"!=": "=", "!~": "~"}

OPERATORS = {
    "=": "is",
    "!=": "is not",
    ">=": "at least",
    "<=": "at most",
    ">": "more than",
    "<": "less than",
    "~": "contains",
    "!~": "does not contain",
}
"""In words; `=` and `!=` without a value ask whether there is none or any."""


@dataclass(frozen=True)
class Condition:
    """What a row must meet."""

    column: Column
    operator: str
    value: str
    text: str
    """As it stands in the address."""
    _test: Callable[[Value], bool]

    def meets(self, row: TableRow) -> bool:
        """Whether a run is shown."""
        return self._test(self.column.read(row))


def condition(session: Session, text: str) -> Condition:
    """Return the condition that `text` says; raises `InvalidInput` where it says none."""
    found = _PARTS.fullmatch(text.strip())
    if not found:
        raise InvalidInput(f"the filter '{text}' has no comparison; write it as ap>=0.3 or training.lr=0.01")
    key, sign, value = (part.strip() for part in found.groups())
    of = column(session, key)
    return Condition(of, sign, value, text, _test(of, sign, value))


def _test(of: Column, sign: str, value: str) -> Callable[[Value], bool]:
    if sign in _OPPOSITE:
        positive = _test(of, _OPPOSITE[sign], value)
        return lambda found: not positive(found)
    if sign == "~":
        part = value.casefold()
        return lambda found: any(part in word for word in _words(found))
    if sign == "=":
        return _equal(of, value)
    return _ordered(of, sign, value)


def _equal(of: Column, value: str) -> Callable[[Value], bool]:
    if not value:
        return lambda found: found is None or found in ("", [])
    wanted, word = number(value, of.kind), value.casefold()

    def test(found: Value) -> bool:
        if wanted is not None and isinstance(found, int | float) and not isinstance(found, bool):
            return math.isclose(found, wanted, rel_tol=1e-9)
        return word in _words(found)

    return test


def _ordered(of: Column, sign: str, value: str) -> Callable[[Value], bool]:
    compare = _ORDERS[sign]
    if of.kind == "moment":
        at = moment(value)
        return lambda found: isinstance(found, datetime) and compare(found, at)
    bound = number(value, of.kind)
    if bound is None:
        raise InvalidInput(
            f"{of.label}: '{value}' is no number to compare with; write one such as 0.3 or 20M"
        )
    return lambda found: (
        isinstance(found, int | float) and not isinstance(found, bool) and compare(found, bound)
    )


def _words(value: Value) -> list[str]:
    """Return what a value may be called, without regard to capitals."""
    if value is None:
        return []
    if isinstance(value, bool):
        return ["yes", "true"] if value else ["no", "false"]
    if isinstance(value, list):
        return [word.casefold() for word in value]
    if isinstance(value, datetime):
        return [value.isoformat()]
    return [f"{value:g}" if isinstance(value, float) else str(value).casefold()]
