"""At which iterations a run is probed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile


def snapshot_iterations(iterations: int, every: int) -> tuple[int, ...]:
    """Return 0, then 1, 2, 5, 10, 20, 50, … below `every`, then each multiple of it, and the last iteration.

    Both are at least 1. The eigenspectra move most in the first iterations, hence the decades.
    """
    early = takewhile(lambda iteration: iteration < every, _decades())
    chosen = {0, *early, *range(every, iterations, every), iterations}
    return tuple(sorted(iteration for iteration in chosen if iteration <= iterations))


def _decades() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
