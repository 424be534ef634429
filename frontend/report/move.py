"""One trace that moves with a report's cursor: its arrays, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Move:
    """One trace's arrays at each of the cursor's `steps`: `arrays` by attribute, each with the steps as first axis."""

    trace: int
    steps: tuple[float, ...]
    arrays: dict[str, NDArray[Any]]


def kept_snapshots(steps: Sequence[float], start: float | None, count: int) -> list[int]:
    """Return the indices of at most `count` steps, evenly, with the first, the last and the one at `start`."""
    if len(steps) <= count:
        return list(range(len(steps)))
    kept = {round(k) for k in np.linspace(0, len(steps) - 1, max(2, count - 1))}
    at = len(steps) - 1 if start is None else max(int(np.searchsorted(steps, start, side="right")) - 1, 0)
    return sorted(kept | {at})


def thinned(move: Move, start: float | None, count: int) -> Move:
    """Return the move through fewer steps."""
    kept = kept_snapshots(move.steps, start, count)
    arrays = {name: values[kept] for name, values in move.arrays.items()}
    return Move(move.trace, tuple(move.steps[k] for k in kept), arrays)


def members(trace: Any) -> list[int]:
    """Return the runs that a trace is drawn from: one, several that are drawn as their mean, or none."""
    meta = trace.get("meta") or {}
    if meta.get("runs"):
        return list(meta["runs"])
    return [meta["run"]] if isinstance(meta.get("run"), int) else []


def part(trace: Any) -> str:
    """Return which part of its run's picture a trace is; empty where there is only one."""
    return str((trace.get("meta") or {}).get("part", ""))


def union_of_steps(several: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Return every step that any has, rising."""
    return tuple(sorted({step for one in several for step in one}))
