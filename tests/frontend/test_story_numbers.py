"""Sentences against the numbers they are made of: none contradicts them, whatever is compared."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.comparison.schemas import Comparison
from frontend.story.statement import Statement
from frontend.story.telling import tell
from tests.frontend.pairs import (
    accuracy,
    comparison,
    everything,
    measured,
    percents,
    said,
    slopes,
)

SHARES = st.floats(0, 1, allow_subnormal=False)
runs = hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=SHARES)


@settings(deadline=None)
@given(
    runs,
    runs,
    st.floats(0, 200),
    st.booleans(),
    st.tuples(SHARES, SHARES),
    st.tuples(st.floats(0, 5), st.floats(0, 5)),
)
def test_no_sentence_contradicts_its_numbers(
    one: np.ndarray,
    other: np.ndarray,
    length: float,
    live: bool,
    accuracies: tuple[float, float],
    both_slopes: tuple[float, float],
) -> None:
    first, second = measured(one, length=length), measured(other, live=live)
    found = comparison(first, second, accuracy=accuracy(*accuracies), slopes=slopes(*both_slopes))
    story = tell(found)
    text = everything(story)
    assert not re.search(r"\b(nan|inf|None|True|False)\b|−0 ", text), text
    assert [len(s.links) > 0 for s in story.statements] == [True] * len(story.statements)
    spectra = found.spectra
    assert spectra
    start = said(story, "Start")
    shown = percents(start.sentence)
    assert float(start.number) == pytest.approx(abs(shown[0] - shown[1]), abs=1e-6)
    assert shown[0] == pytest.approx(100 * spectra.first.start, abs=0.51)
    assert shown[1] == pytest.approx(100 * spectra.second.start, abs=0.51)
    measured_twice = min(spectra.first.snapshots, spectra.second.snapshots) > 1
    assert any(one.subject == "Course" for one in story.statements) == measured_twice
    if measured_twice:
        _course_agrees(said(story, "Course"), found)
    _depth_agrees(said(story, "Depth"), found)
    _shape_agrees(said(story, "Shape"), both_slopes)
    assert ("spectra are alike" in story.headline.lower()) == (spectra.apart_most < 0.05)
    assert ("At the end" in said(story, "Depth").sentence) == spectra.ended
    assert spectra.ended <= (not live)


def _course_agrees(course: Statement, found: Comparison) -> None:
    assert found.spectra
    second = found.spectra.second
    assert ("S widens" in course.sentence) == (second.kind == "widens")
    assert ("S narrows" in course.sentence) == (second.kind == "narrows")
    assert ("S first falls" in course.sentence) == (second.kind == "dips")
    assert f"{course.number} in S" in course.sentence
    opposite = found.spectra.first.moved > second.moved + 0.01
    assert not opposite or "the pre-trained run moves more" in course.sentence


def _depth_agrees(depth: Statement, found: Comparison) -> None:
    assert found.spectra
    differences = [round(100 * (one.second - one.first)) for one in found.spectra.stages]
    assert ("fewer" in depth.sentence) == any(one < 0 for one in differences)
    assert bool(re.search(r"\bmore\b", depth.sentence)) == any(one > 0 for one in differences)
    for sign, extreme in (("−", min(differences)), (r"\+", max(differences))):
        for number in re.findall(rf"{sign}(\d+) point", depth.sentence):
            assert int(number) == abs(extreme)
    assert f"{depth.number} point" in depth.sentence


def _shape_agrees(shape: Statement, both: tuple[float, float]) -> None:
    apart = abs(round(both[0], 2) - round(both[1], 2))
    assert float(shape.number) == pytest.approx(apart, abs=1e-6)
    if "more steeply" in shape.sentence:
        assert both[1] > both[0]
    elif "less steeply" in shape.sentence:
        assert both[1] < both[0]
    else:
        assert apart < 0.051
