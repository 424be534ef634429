"""Latencies of a plan's networks, in words: as what they are, and a ratio only where they were measured together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.widths.latency import ALIKE, Latency, Pass, Together
from backend.widths.result import ResultRow
from frontend.formats import change, counted, milliseconds, moment

OF_ALL = ("source", "baseline")
"""Whose time a ratio is against, the first that was measured."""


@dataclass(frozen=True)
class Cell:
    """A network's latency, its change against the source's where that may be told, and how it was measured."""

    text: str
    change: str
    hint: str


def cell(row: ResultRow, latency: Latency) -> Cell:
    """Return what a row of the result's table says of latency."""
    together = latency.together
    if together is not None and row.role in together.seconds:
        return _together(row.role, together)
    own = [one for one in latency.passes if one.run_id in row.run_ids]
    if not own:
        return Cell("–", "", "No run of this network has ended yet")
    least, most = (end(one.seconds for one in own) for end in (min, max))
    apart = most > ALIKE * least
    text = f"{milliseconds(least)} to {milliseconds(most)}" if apart else milliseconds(_mean(own))
    return Cell(
        text, "", "; ".join(f"run {one.run_id}: {milliseconds(one.seconds)}, {_how(one)}" for one in own)
    )


def sentence(latency: Latency) -> str:
    """Return how the latencies of the table were measured; empty where there are none."""
    if latency.together is not None:
        return (
            "Latency: all networks measured in turns by one process, so that the machine's load falls on all alike; "
            f"{_how(latency.together)}."
        )
    if not latency.passes:
        return ""
    first = latency.passes[0]
    alike = all((one.device, one.threads) == (first.device, first.threads) for one in latency.passes)
    where = f" ({_where(first)})" if alike and _where(first) else ""
    return f"Latency: each run measured its own network when it ended{where}{_when(latency.passes)}."


def _together(role: str, together: Together) -> Cell:
    seconds = together.seconds[role]
    against = next((one for one in OF_ALL if one in together.seconds), None)
    told = "" if against in (None, role) else change(seconds / together.seconds[str(against)], 0)
    return Cell(milliseconds(seconds), told, f"Measured in turns with the other networks, {_how(together)}")


def _how(one: Pass | Together) -> str:
    return ", ".join(filter(None, (_where(one), "" if one.measured_at is None else moment(one.measured_at))))


def _where(one: Pass | Together) -> str:
    threads = None if one.threads is None else counted(one.threads, "thread")
    return ", ".join(filter(None, (one.device, threads)))


def _when(passes: Iterable[Pass]) -> str:
    moments: list[datetime] = [one.measured_at for one in passes if one.measured_at is not None]
    if not moments:
        return ""
    first, last = moment(min(moments)), moment(max(moments))
    return f", {first}" if first == last else f", between {first} and {last}"


def _mean(passes: Sequence[Pass]) -> float:
    return sum(one.seconds for one in passes) / len(passes)
