"""What is wrong with a value, in plain words and not in pydantic's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LONGEST_SHOWN = 40
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "finite_number": "a finite number",
    "bool": "yes or no",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "a set of names with values",
    "model": "a set of names with values",
}


def words_of(error: Any) -> str:
    """Return what one of pydantic's errors says: "`x` is not a whole number", "must be at least 0"."""
    kind: str = error["type"]
    found = _BOUNDS.get(kind)
    if found:
        key, words = found
        return f"must be {words} {_number(error['ctx'][key])}"
    written = _WRITTEN.get(kind)
    if written:
        return written(error.get("ctx", {}))
    known = _KINDS.get(kind if kind in _KINDS else kind.partition("_")[0])
    if known:
        return _is_not(error.get("input"), known)
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _is_not(value: Any, kind: str) -> str:
    if value is None or value == "":
        return f"is empty; it must be {kind}"
    if isinstance(value, str | int | float):
        # Half of a character, which JSON can write, can be in no answer.
        text = str(value).encode("utf-8", "backslashreplace").decode()
        return f"`{text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + '…'}` is not {kind}"
    return f"must be {kind}"


def _counted(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_WRITTEN: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is missing",
    "literal_error": lambda told: f"must be {told['expected']}",
    "enum": lambda told: f"must be {told['expected']}",
    "string_too_short": lambda told: f"must have at least {_counted(told['min_length'], 'character')}",
    "string_too_long": lambda told: f"must have at most {_counted(told['max_length'], 'character')}",
    "string_pattern_mismatch": lambda told: f"must be text of the pattern {told['pattern']}",
    "string_unicode": lambda _: "holds characters that no text can hold",
    "too_short": lambda told: f"must have at least {_counted(told['min_length'], 'item')}",
    "too_long": lambda told: f"must have at most {_counted(told['max_length'], 'item')}",
}
