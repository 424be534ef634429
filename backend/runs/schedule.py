"""When the probe looks: densely at first, where spectra change fastest, then evenly."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=32)
def snapshot_iterations(iterations: int, every: int) -> tuple[int, ...]:
    """Return the iterations at which a run is probed, rising.

    A snapshot at t is taken after t updates of the weights: 0 before any; then 1, 2, 5, 10, 20, 50, … below
    `every`; then each `every`; and the last. Raises ValueError unless both numbers are positive.
    """
    if iterations < 1 or every < 1:
        raise ValueError(f"iterations ({iterations}) and every ({every}) must be positive")
    early = {0}
    decade = 1
    while decade < every:
        early.update(step * decade for step in (1, 2, 5) if step * decade < every)
        decade *= 10
    regular = range(every, iterations + 1, every)
    return tuple(sorted({t for t in early if t <= iterations} | set(regular) | {iterations}))
