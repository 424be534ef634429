"""Numbers, spans and moments as people write them in a filter."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from backend.errors import InvalidInput

PREFIXES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "%": 1e-2}
SPANS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([A-Za-z%]*)\s*", re.IGNORECASE)


def number(text: str, kind: str) -> float | None:
    """Return what a number such as 0.3, 20M, 37% or 1e-3 means; None for any other text.

    A span may have a unit (90s, 5min, 2h, 3d); of a fraction, 1 and more is meant in percent, as tables show it.
    """
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    value, unit = float(found[1]), found[2]
    if kind == "fraction" and not unit and value >= 1:
        unit = "%"
    scale = (SPANS if kind == "seconds" else PREFIXES).get(unit, None if unit else 1.0)
    return value * scale if scale is not None and math.isfinite(value) else None


def moment(text: str) -> datetime:
    """Return the moment that a date, a time or a span such as 7d, counted back from now, means."""
    back = number(text, "seconds")
    if back is not None and not text.strip()[-1].isdigit():
        with suppress(OverflowError):
            return datetime.now(UTC) - timedelta(seconds=back)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(
            f"'{text}' is no moment; write a date such as 2026-11-20, or how long ago as 24h or 7d"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
