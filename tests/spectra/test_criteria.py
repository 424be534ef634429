"""Criteria against brute force in exact or scalar arithmetic, and their edges."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.spectra.criteria import CRITERIA, Criterion, dimensionality

VALUES = st.one_of(
    st.floats(1e-9, 1e6),
    st.sampled_from([0.0, 1e-3, 1.0, -1e-9, 5e-324, 1e300]),
)
SPECTRA = st.lists(VALUES, min_size=1, max_size=12).map(lambda values: sorted(values, reverse=True))
MODERATE = st.lists(st.just(0.0) | st.floats(1e-9, 1e6), min_size=1, max_size=12).map(
    lambda values: sorted(values, reverse=True)
)
SCALE_FREE = [name for name in CRITERIA if name not in ("absolute", "degrees_of_freedom")]
DIMENSIONS = [name for name, info in CRITERIA.items() if info.unit == "dimensions"]
AT_A_LEVEL = ("variance", "relative", "power_law")
"""Whose answer jumps where an eigenvalue, or a sum of some, lies at the threshold: they have tests of their own."""


def brute(spectrum: list[float], criterion: str, threshold: float) -> float:
    values = [Fraction(max(value, 0.0)) for value in spectrum]
    total, limit = sum(values), Fraction(threshold)
    if criterion == "absolute":
        return sum(value > limit for value in values)
    if criterion == "degrees_of_freedom":
        return float(sum(value / (value + limit) for value in values))
    if total == 0:
        return 0.0
    if criterion == "relative":
        return sum(value > limit * values[0] for value in values)
    if criterion == "effective_rank":
        shares = [value / total for value in values if value]
        return math.exp(-sum(float(p) * math.log(p) for p in shares if float(p)))
    if criterion == "participation_ratio":
        return float(total**2 / sum(value**2 for value in values))
    return float(total / values[0])


@settings(deadline=None)
@given(SPECTRA, st.sampled_from([name for name in CRITERIA if name not in AT_A_LEVEL]))
def test_is_the_formula(spectrum: list[float], criterion: Criterion) -> None:
    threshold = CRITERIA[criterion].default_threshold
    result = float(dimensionality(spectrum, criterion))
    assert result == pytest.approx(brute(spectrum, criterion, threshold or 0.0), rel=1e-12)


@settings(deadline=None)
@given(MODERATE, st.floats(1e-6, 1.0))
def test_relative_counts_above_a_share_of_the_largest(spectrum: list[float], threshold: float) -> None:
    counted = dimensionality(spectrum, "relative", threshold)
    # One rounding of τ λ_1 lies between float64 and the exact count.
    assert brute(spectrum, "relative", threshold * (1 + 1e-15)) <= counted
    assert counted <= brute(spectrum, "relative", threshold * (1 - 1e-15))


@settings(deadline=None)
@given(SPECTRA, st.floats(1e-6, 1.0))
def test_variance_is_the_fewest_that_hold_the_share(spectrum: list[float], share: float) -> None:
    count = int(dimensionality(spectrum, "variance", share))
    values = [Fraction(max(value, 0.0)) for value in spectrum]
    total = sum(values)
    if total == 0:
        assert count == 0
        return
    assert sum(values[:count]) / total >= Fraction(share) - Fraction(1, 10**12)
    assert sum(values[: count - 1]) / total <= Fraction(share) + Fraction(1, 10**12)


@settings(deadline=None)
@given(SPECTRA, st.sampled_from([1e-12, 1e-6, 1e-3, 0.1]))
def test_the_slope_is_that_of_the_line_through_the_ranks_above_the_threshold(
    spectrum: list[float], threshold: float
) -> None:
    top = max(spectrum[0], 0.0)
    assume(all(abs(value - threshold * top) > 1e-9 * threshold * top for value in spectrum))
    points = [
        (math.log(rank), math.log(value))
        for rank, value in enumerate(spectrum, start=1)
        if Fraction(max(value, 0.0)) > Fraction(threshold) * Fraction(top)
    ]
    found = float(dimensionality(spectrum, "power_law", threshold))
    if len(points) < 2:
        assert math.isnan(found)
        return
    assert found == pytest.approx(-slope(points), rel=1e-9, abs=1e-9)


def slope(points: list[tuple[float, float]]) -> float:
    """Solve the normal equations in exact arithmetic."""
    exact = [(Fraction(x), Fraction(y)) for x, y in points]
    count = len(exact)
    across, up = sum(x for x, _ in exact), sum(y for _, y in exact)
    squares, products = sum(x * x for x, _ in exact), sum(x * y for x, y in exact)
    return float((count * products - across * up) / (count * squares - across**2))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.5])
def test_a_power_law_gives_its_own_slope(alpha: float) -> None:
    spectra = np.geomspace(1e-6, 1e6, 5)[:, None] * np.arange(1, 201) ** -alpha
    for exact in (spectra, spectra.astype(np.float32)):
        np.testing.assert_allclose(dimensionality(exact, "power_law"), alpha, atol=1e-6)


def test_a_spectrum_that_breaks_off_is_fitted_up_to_the_break() -> None:
    ranks = np.arange(1, 257, dtype=np.float64)
    broken = np.where(ranks <= 64, 1 / ranks, 1e-9)
    assert dimensionality(broken, "power_law") == pytest.approx(1.0)
    assert dimensionality(broken, "power_law", 1e-10) > 4


def test_a_slope_of_equal_eigenvalues_is_zero_without_a_sign_and_of_one_is_none() -> None:
    flat = dimensionality([2.0, 2.0, 2.0], "power_law")
    assert flat == 0
    assert not np.signbit(flat)
    assert np.isnan(dimensionality([[2.0, 0.0, 0.0], [2.0, 1.0, -1.0]], "power_law", 0.6)).all()


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, (2, 3, 5), elements=st.floats(0, 1000, width=32)),
    st.sampled_from(get_args(Criterion)),
)
def test_is_vectorised_and_computes_in_float64(block: np.ndarray, criterion: Criterion) -> None:
    spectra = -np.sort(-block, axis=-1)
    together = dimensionality(spectra, criterion)
    assert together.shape == (2, 3)
    assert together.dtype == np.float64
    for index in np.ndindex(2, 3):
        alone = dimensionality(spectra[index].astype(np.float64), criterion)
        assert together[index] == pytest.approx(float(alone), rel=1e-12, abs=1e-15, nan_ok=True)


@settings(deadline=None)
@given(MODERATE, st.sampled_from(SCALE_FREE), st.sampled_from([2.0**-60, 2.0**60]))
def test_scaling_changes_nothing(spectrum: list[float], criterion: Criterion, factor: float) -> None:
    scaled = [value * factor for value in spectrum]
    assert dimensionality(scaled, criterion) == pytest.approx(
        float(dimensionality(spectrum, criterion)), rel=1e-12, abs=1e-15, nan_ok=True
    )


@settings(deadline=None)
@given(SPECTRA)
def test_no_criterion_exceeds_the_number_of_positive_eigenvalues(spectrum: list[float]) -> None:
    positive = sum(value > 0 for value in spectrum)
    for criterion in DIMENSIONS:
        assert 0 <= dimensionality(spectrum, criterion) <= positive * (1 + 1e-12)


@settings(deadline=None)
@given(SPECTRA)
def test_a_descending_spectrum_never_rises(spectrum: list[float]) -> None:
    found = float(dimensionality(spectrum, "power_law"))
    assert math.isnan(found) or found >= 0


@pytest.mark.parametrize("criterion", get_args(Criterion))
def test_edges(criterion: Criterion) -> None:
    spectra = np.array([[0.0, 0.0, 0.0], [-1e-12, -1e-12, -1e-9], [1.0, 0.5, np.nan], [np.inf, 1.0, 0.0]])
    result = dimensionality(spectra, criterion)
    if CRITERIA[criterion].unit == "dimensions":
        assert result[:2].tolist() == [0.0, 0.0]
    else:
        assert np.isnan(result[:2]).all()
    assert np.isnan(result[2:]).all()


@pytest.mark.parametrize("criterion", get_args(Criterion))
def test_a_negative_eigenvalue_counts_as_zero(criterion: Criterion) -> None:
    assert dimensionality([2.0, 1.0, -1e-7], criterion) == dimensionality([2.0, 1.0, 0.0], criterion)


def test_the_papers_threshold_is_strict_and_compared_in_float64() -> None:
    assert dimensionality([1.0, 1e-3], "absolute") == 1
    # The float32 nearest to 1e-3 lies above it.
    assert dimensionality(np.array([1.0, 1e-3], np.float32), "absolute") == 2


@given(
    values=hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(0, 2.0**100, width=32)),
    at=st.integers(0, 39),
    towards=st.sampled_from([None, -np.inf, np.inf]),
    share=st.floats(1e-9, 1.0),
)
def test_float32_is_compared_as_in_float64(
    values: np.ndarray, at: int, towards: float | None, share: float
) -> None:
    spectrum = np.sort(values)[::-1]
    doubles = spectrum.astype(np.float64)
    threshold = doubles[at % len(doubles)]
    if towards is not None:
        threshold = np.nextafter(threshold, towards)
    assume(threshold > 0)
    assert dimensionality(spectrum, "absolute", threshold) == (doubles > threshold).sum()
    assert dimensionality(spectrum, "relative", share) == (doubles > share * doubles[0]).sum()


@pytest.mark.parametrize("criterion", DIMENSIONS)
def test_equal_eigenvalues_fill_the_space(criterion: Criterion) -> None:
    threshold = 1.0 if criterion == "variance" else None
    expected = 64.0 if criterion != "degrees_of_freedom" else 64 / (1 + 1e-3)
    assert dimensionality(np.ones(64), criterion, threshold) == pytest.approx(expected)


def test_an_integer_spectrum_is_taken() -> None:
    assert dimensionality([4, 4], "participation_ratio") == pytest.approx(2)


def test_what_is_described_is_what_is_computed() -> None:
    assert tuple(CRITERIA) == get_args(Criterion)
    spectrum = np.random.default_rng(0).exponential(size=50)[::1]
    spectrum = -np.sort(-spectrum)
    for name, info in CRITERIA.items():
        assert info.name == name
        assert info.label
        assert info.description
        assert info.formula
        if info.integer:
            assert float(dimensionality(spectrum, info.name)).is_integer()


@pytest.mark.parametrize(
    ("criterion", "threshold", "said"),
    [
        ("absolute", 0.0, "above 0"),
        ("absolute", math.nan, "above 0"),
        ("degrees_of_freedom", -1.0, "above 0"),
        ("relative", 1.5, "at most 1"),
        ("variance", 1.5, "at most 1"),
        ("power_law", 1.5, "at most 1"),
        ("power_law", 0.0, "above 0"),
        ("rank", None, "take one of absolute"),
    ],
)
def test_wrong_use_is_named(criterion: Criterion, threshold: float | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dimensionality([1.0], criterion, threshold)


@pytest.mark.parametrize("empty", [3.0, [], np.zeros((4, 0))])
def test_a_spectrum_needs_eigenvalues(empty: object) -> None:
    with pytest.raises(ValueError, match="at least one eigenvalue"):
        dimensionality(empty, "absolute")  # type: ignore[arg-type]
