"""The largest scale, against trying every step there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.architectures.describe import sizes
from backend.architectures.widths import standard_widths
from backend.widths.rounding import Rounding
from backend.widths.search import Budget, Search

NETWORK = sizes("classifier", "resnet18", "batch", False, 5, 64, 64)
COUNT = len(NETWORK.groups)
STANDARD = np.array(list(standard_widths("classifier", "resnet18").values()))
DIMENSIONS = st.lists(st.integers(1, 300) | st.floats(0.25, 300), min_size=COUNT, max_size=COUNT)


def total(search: Search, scale: float) -> tuple[int, int]:
    widths = search.widths(np.array([scale]))
    return int(search.sizes.macs(widths).sum()), int(search.sizes.parameters(widths).sum())


def every_step(dimensions: np.ndarray, divisor: int, highest: float) -> np.ndarray:
    """All scales up to `highest` at which a width can change: s d / divisor = k - 1/2."""
    steps = [
        (np.arange(1, highest * d / divisor + 2) - 0.5) * divisor / d for d in np.unique(dimensions).tolist()
    ]
    found = np.concatenate(steps)
    return found[found <= highest]


@settings(deadline=None, max_examples=60)
@given(
    dimensions=DIMENSIONS,
    divisor=st.sampled_from([1, 3, 8, 16]),
    minimum=st.integers(1, 20),
    share=st.floats(0.02, 3),
    cap=st.booleans(),
    bound=st.sampled_from(["macs", "parameters", "both"]),
)
def test_no_larger_step_is_within_the_budget(
    dimensions: list[float], divisor: int, minimum: int, share: float, cap: bool, bound: str
) -> None:
    given_dimensions = np.array(dimensions, float)
    rounding = Rounding(given_dimensions, divisor, minimum, STANDARD if cap else None)
    search = Search(NETWORK, np.arange(COUNT), STANDARD, rounding)
    macs, parameters = (
        int(count(STANDARD[None]).sum() * share) for count in (NETWORK.macs, NETWORK.parameters)
    )
    budget = Budget(macs if bound != "parameters" else None, parameters if bound != "macs" else None)

    def holds(widths: np.ndarray) -> np.ndarray:
        within = np.ones(len(widths), bool)
        if bound != "parameters":
            within &= NETWORK.macs(widths).sum(axis=1) <= macs
        if bound != "macs":
            within &= NETWORK.parameters(widths).sum(axis=1) <= parameters
        return within

    found = search.largest(budget)
    if found is None:
        assert not holds(search.widths(np.zeros(1))).any()
        return
    chosen = search.widths(np.array([found]))
    assert holds(chosen).all()
    larger = every_step(given_dimensions, divisor, max(2 * found, 1.0))
    widths = search.widths(larger[larger > found * (1 + 1e-9)])
    assert not (holds(widths) & (widths != chosen).any(axis=1)).any()


def test_a_shortcut_that_comes_and_goes_is_seen() -> None:
    # Stem and layer1 of a ResNet-18 are equally wide where both have the same rounded width: no convolution is
    # needed on the first shortcut then, so that a larger scale can have fewer MACs.
    dimensions = np.full(COUNT, 40.0)
    dimensions[NETWORK.groups.index("stem")] = 38.0
    search = Search(NETWORK, np.arange(COUNT), STANDARD, Rounding(dimensions, 8, 8))
    steps = search.rounding.steps(0.0, 4.0)
    macs = NETWORK.macs(search.widths(steps)).sum(axis=1)
    falls = np.flatnonzero(np.diff(macs) < 0)
    assert falls.size
    after = falls[0] + 1
    assert search.largest(Budget(macs=int(macs[after]))) == pytest.approx(steps[after])


def test_the_least_widths_are_scale_zero_and_below_them_is_nothing() -> None:
    search = Search(NETWORK, np.arange(COUNT), STANDARD, Rounding(np.full(COUNT, 50.0), 8, 8))
    least, _ = total(search, 0.0)
    assert search.largest(Budget(macs=least)) == 0.0
    assert search.largest(Budget(macs=least - 1)) is None


def test_equal_dimensions_step_together_whatever_float64_makes_of_their_quotients() -> None:
    rounding = Rounding(np.array([0.1 + 0.2, 0.3, 0.6]), 1, 1)
    for step in rounding.steps(0.0, 200.0):
        first, second, third = rounding.widths(step)[0]
        assert first == second
        assert (rounding.widths(step * (1 + 1e-7)) == [first, second, third]).all()
