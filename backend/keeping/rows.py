"""A table's rows as lines of JSON and back: every number as it was, every value checked against its column.

The first line names the columns, each further line is one row. A column of bytes holds their number; the bytes
themselves stand beside, row after row, as they are in the database.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, NoReturn

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, String, Table

from backend.errors import InvalidInput
from backend.models.base import UtcDateTime

LONGEST_LINE = 64 * 2**20
"""Bytes; a dataset's statistics and an image's predictions are far below."""
LARGEST_BLOB = 64 * 2**20
DEEPEST = 40
"""Levels of lists and objects within a value."""

Row = dict[str, Any]


def encode(columns: Sequence[Column[Any]], row: Mapping[str, Any]) -> bytes:
    """Return one row as a line; in place of bytes stands their number."""
    values = []
    for column in columns:
        value = row[column.name]
        if isinstance(value, bytes):
            value = len(value)
        elif isinstance(value, datetime):
            value = value.isoformat()
        values.append(value)
    return line(values)


def line(values: Sequence[Any]) -> bytes:
    """Return values as one line of JSON; floats keep every digit that tells them apart.

    A number that is not finite becomes null, as it does wherever one is stored.
    """
    try:
        text = json.dumps(values, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(values), ensure_ascii=True, separators=(",", ":"))
    return text.encode() + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def blob_columns(table: Table) -> list[str]:
    """Return the names of the columns that hold bytes."""
    return [column.name for column in table.columns if isinstance(column.type, LargeBinary)]


def decode(table: Table, lines: IO[bytes], blobs: IO[bytes] | None) -> Iterator[Row]:
    """Yield the rows of a member; raises `InvalidInput` naming the table and the line that is wrong."""
    where = f"{table.name}, line"
    columns = _columns(table, _parsed(_line(lines, f"{where} 1"), f"{where} 1"))
    checks = [(column.name, _check(column)) for column in columns]
    number = 1
    while text := _line(lines, f"{where} {number + 1}"):
        number += 1
        values = _parsed(text, f"{where} {number}")
        if not isinstance(values, list) or len(values) != len(checks):
            raise InvalidInput(f"{where} {number}: it does not hold {len(checks)} values")
        row = {}
        for (name, check), value in zip(checks, values, strict=True):
            try:
                row[name] = check(value, blobs)
            except ValueError as error:
                raise InvalidInput(f"{where} {number}: {name} {error}") from None
        yield row
    if blobs is not None and blobs.read(1):
        raise InvalidInput(f"{table.name}: there are more bytes than its rows tell of")


def _line(lines: IO[bytes], where: str) -> bytes:
    text = lines.readline(LONGEST_LINE + 1)
    if len(text) > LONGEST_LINE:
        raise InvalidInput(f"{where} is longer than {LONGEST_LINE:,} bytes")
    if text and not text.endswith(b"\n"):
        raise InvalidInput(f"{where} is cut off")
    return text


def _parsed(text: bytes, where: str) -> Any:
    try:
        # Written as ASCII, so that anything else is not of this program.
        return _DECODER.decode(text.decode("ascii"))
    except (ValueError, RecursionError):
        raise InvalidInput(f"{where} is no JSON that this program would have written") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _columns(table: Table, names: Any) -> list[Column[Any]]:
    """Return the columns that the first line names; those that are missing must be able to do without a value."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"{table.name}: its first line does not name its columns")
    unknown = [name for name in names if name not in table.columns]
    if unknown or len(set(names)) < len(names):
        raise InvalidInput(
            f"{table.name}: it names columns twice or that there are none of: {str(unknown[:3])[:200]}"
        )
    missing = [c for c in table.columns if c.name not in names]
    needed = [c.name for c in missing if not c.nullable and c.server_default is None]
    if needed:
        raise InvalidInput(f"{table.name}: the column '{needed[0]}' is missing")
    return [table.columns[name] for name in names]


Check = Callable[[Any, IO[bytes] | None], Any]


def _check(column: Column[Any]) -> Check:
    """Return what turns a value of JSON into one of this column, or raises `ValueError` with the rest of a sentence."""
    found = _of_type(column)

    def check(value: Any, blobs: IO[bytes] | None) -> Any:
        if value is None:
            if not column.nullable:
                raise ValueError("is missing")
            return None
        return found(value, blobs)

    return check


def _of_type(column: Column[Any]) -> Check:  # noqa: C901 - one branch a type
    kind = column.type
    if isinstance(kind, Boolean):
        return _boolean
    if isinstance(kind, BigInteger):
        return lambda value, _: _whole(value, 2**63)
    if isinstance(kind, Integer):
        return lambda value, _: _whole(value, 2**31)
    if isinstance(kind, Float):
        return _number
    if isinstance(kind, UtcDateTime):
        return _moment
    if isinstance(kind, LargeBinary):
        return _bytes
    if isinstance(kind, JSON):
        return lambda value, _: _plain(value, DEEPEST)
    if isinstance(kind, String):
        return lambda value, _: _text(value, kind.length)
    raise TypeError(f"no rows with a {kind} are kept yet: teach backend.keeping.rows")


def _boolean(value: Any, _: IO[bytes] | None) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _whole(value: Any, limit: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
        raise ValueError("is no whole number that its column holds")
    return value


def _number(value: Any, _: IO[bytes] | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("is no finite number")
    return float(value)


def _moment(value: Any, _: IO[bytes] | None) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("is no time") from None
    if found.tzinfo is None or not 1970 <= found.year < 9999:
        raise ValueError("is no time with a zone")
    return found


def _bytes(value: Any, blobs: IO[bytes] | None) -> bytes:
    if blobs is None or _whole(value, 2**31) < 0 or value > LARGEST_BLOB:
        raise ValueError("is no number of bytes")
    found = blobs.read(value)
    if len(found) < value:
        raise ValueError("tells of more bytes than there are")
    return found


def _text(value: Any, longest: int | None) -> str:
    if not isinstance(value, str) or (longest is not None and len(value) > longest):
        raise ValueError(f"is no text of at most {longest} letters" if longest else "is no text")
    # PostgreSQL stores neither.
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("holds a NUL or half a character")
    return value


def _plain(value: Any, levels: int) -> Any:
    """Return a value of JSON if it can be stored everywhere."""
    if levels == 0:
        raise ValueError("holds lists within lists beyond all measure")
    if isinstance(value, str):
        return _text(value, None)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that is not finite")
    if isinstance(value, list):
        for one in value:
            _plain(one, levels - 1)
    if isinstance(value, dict):
        for name, one in value.items():
            _text(name, None)
            _plain(one, levels - 1)
    return value
