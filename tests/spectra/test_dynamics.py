"""Courses, settling and distances against loops that say the same slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.spectra.dynamics import apart, carried, course, last_not_after, moved, settled_at

SHARES = st.floats(0, 1, allow_subnormal=False)
SERIES = hnp.arrays(np.float64, st.integers(1, 12), elements=SHARES)
TOLERANCE = 0.02


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=SHARES | st.just(math.nan)
    )
)
def test_missing_values_are_those_before(values: np.ndarray) -> None:
    for row, found in zip(values.tolist(), carried(values).tolist(), strict=True):
        last = math.nan
        for value, its in zip(row, found, strict=True):
            last = last if math.isnan(value) else value
            assert its == last or (math.isnan(its) and math.isnan(last))


@settings(deadline=None)
@given(SERIES)
def test_settled_is_the_earliest_snapshot_with_all_later_ones_near_the_end(series: np.ndarray) -> None:
    values = series.tolist()
    near = [abs(value - values[-1]) <= TOLERANCE for value in values]
    assert settled_at(series, TOLERANCE) == min(k for k in range(len(values)) if all(near[k:]))


@settings(deadline=None)
@given(SERIES)
def test_a_course_is_what_its_ends_and_its_extremes_say(series: np.ndarray) -> None:
    found = course(series, TOLERANCE)
    first, last = series[0], series[-1]
    if found.turn is not None:
        assert found.kind in ("dips", "peaks")
        outside = (
            min(first, last) - series[found.turn]
            if found.kind == "dips"
            else series[found.turn] - max(first, last)
        )
        assert outside > TOLERANCE
        assert series[found.turn] in (series.min(), series.max())
    else:
        assert series.min() >= min(first, last) - TOLERANCE
        assert series.max() <= max(first, last) + TOLERANCE
        expected = "steady" if abs(last - first) <= TOLERANCE else "widens" if last > first else "narrows"
        assert found.kind == expected


@pytest.mark.parametrize(
    ("values", "kind", "turn"),
    [
        ([0.71, 0.55, 0.57, 0.95], "dips", 1),
        ([0.5, 0.9, 0.1, 0.5], "dips", 2),
        ([0.5, 0.95, 0.4, 0.5], "peaks", 1),
        ([0.1, 0.5, 0.9], "widens", None),
        ([0.9, 0.5, 0.1], "narrows", None),
        ([0.5, 0.51, 0.49, 0.5], "steady", None),
        ([0.5], "steady", None),
    ],
)
def test_courses_by_name(values: list[float], kind: str, turn: int | None) -> None:
    found = course(np.array(values), TOLERANCE)
    assert (found.kind, found.turn) == (kind, turn)


@settings(deadline=None)
@given(hnp.arrays(np.float64, (3, 4), elements=SHARES), hnp.arrays(np.float64, (3, 4), elements=SHARES))
def test_distances_are_means_of_absolute_differences(first: np.ndarray, second: np.ndarray) -> None:
    for t in range(4):
        expected = math.fsum(abs(first[k, t] - second[k, t]) for k in range(3)) / 3
        assert apart(first, second)[t] == pytest.approx(expected, abs=1e-15)
    assert moved(first).tolist() == [abs(row[-1] - row[0]) for row in first]


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True).map(sorted), st.integers(0, 60))
def test_the_last_point_not_after_a_limit(points: list[int], limit: int) -> None:
    expected = max((k for k, point in enumerate(points) if point <= limit), default=0)
    assert last_not_after(np.array(points, float), np.array([float(limit)])).tolist() == [expected]
