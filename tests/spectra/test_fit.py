"""The line of a power law: that of the criterion, through the same ranks."""

from __future__ import annotations

import numpy as np
import pytest

from backend.spectra.criteria import dimensionality
from backend.spectra.fit import fitted_power_law


def test_an_exact_power_law_is_found_with_its_height_and_its_end() -> None:
    ranks = np.arange(1, 101, dtype=np.float64)
    found = fitted_power_law(np.where(ranks <= 80, 5 * ranks**-0.75, 0.0))
    assert found is not None
    assert (found.slope, found.first, found.ranks) == pytest.approx((0.75, 5.0, 80))
    assert found.at(16) == pytest.approx(5 / 8)


def test_the_line_is_the_least_squares_one() -> None:
    random = np.random.default_rng(0)
    spectrum = -np.sort(-np.exp(random.normal(0, 2, 50)))
    found = fitted_power_law(spectrum, 1e-2)
    assert found is not None
    used = np.flatnonzero(spectrum > 1e-2 * spectrum[0]) + 1
    slope, height = np.polyfit(np.log(used), np.log(spectrum[: len(used)]), 1)
    assert found.ranks == len(used) < 50
    assert found.slope == pytest.approx(-slope)
    assert found.first == pytest.approx(np.exp(height))
    assert found.slope == dimensionality(spectrum, "power_law", 1e-2)


def test_where_no_slope_is_there_is_no_line() -> None:
    assert fitted_power_law([1.0, 0.0]) is None
    assert fitted_power_law([1.0, np.nan]) is None
