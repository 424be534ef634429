"""The floor of float32 products: its arithmetic, and that rounding lies below it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.spectra.precision import float32_floor, resolved

IMAGES, WIDTH, POSITIONS = 4, 64, 4096


def test_the_floor_scales_with_the_largest_eigenvalue() -> None:
    floors = float32_floor([[1.0, 2.0**23, 0.0], [-3.0, math.nan, math.inf]])
    np.testing.assert_array_equal(floors, [[2.0**-23, 1.0, 0.0], [0.0, math.nan, math.inf]])
    assert float32_floor(np.float32(1.0)).dtype == np.float64
    assert float32_floor(5.0).shape == ()


def test_the_papers_threshold_is_resolved_up_to_a_known_size() -> None:
    answers = resolved(1e-3, [8388.6, 8388.7, 0.0, -1.0, math.nan, math.inf])
    assert answers.tolist() == [True, False, True, True, False, False]
    assert resolved(1e-3, np.ones((2, 3, 1))).shape == (2, 3, 1)


@pytest.mark.parametrize("threshold", [0.0, -1e-3, math.nan, math.inf])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        resolved(threshold, 1.0)


@pytest.mark.parametrize("mean", [0.0, 1e2, 1e4])
def test_rounding_lies_below_the_floor_and_not_far_below(mean: float) -> None:
    """Sixteen directions beside the mean: all eigenvalues after the first 17 are rounding."""
    random = np.random.default_rng(0)
    level = mean * np.exp(random.normal(size=(WIDTH, 1)))
    directions = random.normal(size=(WIDTH, 16))
    rough, exact = np.zeros((WIDTH, WIDTH)), np.zeros((WIDTH, WIDTH))
    for _ in range(IMAGES):
        maps = (level + directions @ random.normal(size=(16, POSITIONS))).astype(np.float32)
        rough += (maps @ maps.T) / (POSITIONS * IMAGES)
        exact += (maps.astype(np.float64) @ maps.T.astype(np.float64)) / (POSITIONS * IMAGES)
    found, true = np.linalg.eigvalsh(rough), np.linalg.eigvalsh(exact)
    error = np.abs(found - true)[:-1].max()
    floor = float(float32_floor(true[-1]))
    assert error < floor
    assert error > floor / 1000
