"""The iterations at which a run is probed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.runs.schedule import snapshot_iterations


@pytest.mark.parametrize(
    ("iterations", "every", "expected"),
    [
        (350, 100, (0, 1, 2, 5, 10, 20, 50, 100, 200, 300, 350)),
        (90, 30, (0, 1, 2, 5, 10, 20, 30, 60, 90)),
        (4, 1, (0, 1, 2, 3, 4)),
        (7, 1000, (0, 1, 2, 5, 7)),
        (1, 1, (0, 1)),
    ],
)
def test_examples(iterations: int, every: int, expected: tuple[int, ...]) -> None:
    assert snapshot_iterations(iterations, every) == expected


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000))
def test_it_rises_from_the_first_to_the_last_without_gaps_above_every(iterations: int, every: int) -> None:
    chosen = snapshot_iterations(iterations, every)
    assert chosen[0] == 0
    assert chosen[-1] == iterations
    assert list(chosen) == sorted(set(chosen))
    assert all(later - earlier <= every for earlier, later in pairwise(chosen))
    assert set(range(every, iterations + 1, every)) <= set(chosen)
