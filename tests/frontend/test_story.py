"""Sentences against the numbers they are made of: none contradicts them, whatever is compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.comparison.measured import MeasuredRun
from backend.comparison.schemas import Accuracy, Comparison, Role, RunReference, Seeds, Slopes, StagePair
from backend.comparison.spectra import compared_spectra, narrow_layers
from backend.models import Layer
from frontend.story.statement import Statement, Story
from frontend.story.telling import tell

SHARES = st.floats(0, 1, allow_subnormal=False)
HOSTILE = "<img src=x onerror=window.hacked=1>"


def measured(
    shares: np.ndarray, *, stages: Sequence[str] = (), length: float = 0, live: bool = False, **changes: Any
) -> MeasuredRun:
    """Return a run whose layers have these shares (layers, snapshots) at iterations 0, 10, 20, …"""
    layers, snapshots = shares.shape
    names = stages or [f"layer{1 + k // 2}" for k in range(layers)]
    iterations = 10.0 * np.arange(snapshots)
    rows = tuple(
        Layer(run_id=0, order=k, name=f"{stage}.{k}", map="block", stage=stage, width=64)
        for k, stage in enumerate(names)
    )
    fields = {
        "unresolved": np.zeros(shares.shape, bool),
        "positions_per_channel": np.full(layers, 100.0),
        "length": max(length, float(iterations[-1]), 1.0),
    }
    return MeasuredRun(rows, iterations, shares, live=live, **(fields | changes))


def comparison(one: MeasuredRun | None, other: MeasuredRun | None, **changes: Any) -> Comparison:
    """Compare a pre-trained run, 1, with one from scratch, 2."""
    narrow = [narrow_layers(k, run) for k, run in ((1, one), (2, other)) if run]
    fields = {
        "first": reference(1, "pre-trained"),
        "second": reference(2, "scratch"),
        "layers_first": len(one.layers) if one else 0,
        "layers_second": len(other.layers) if other else 0,
        "settings": {},
        "recorded": False,
        "accuracy": None,
        "spectra": compared_spectra(one, other) if one and other else None,
        "slopes": None,
        "narrow": [its for its in narrow if its],
    }
    return Comparison(**(fields | changes))


def reference(run_id: int, role: Role, **changes: Any) -> RunReference:
    init = {"pre-trained": "imagenet", "scratch": "scratch", "unknown": "unknown"}[role]
    fields = {"name": HOSTILE, "origin": "launched", "status": "succeeded"} | changes
    return RunReference(id=run_id, init=init, role=role, **fields)


def accuracy(first: float, second: float, **changes: Any) -> Accuracy:
    fields = {
        "measure": "ap",
        "first_iteration": 90,
        "second_iteration": 90,
        "first_seeds": None,
        "second_seeds": None,
        "alike": abs(first - second) <= 0.01 + 1e-9,
    }
    return Accuracy(first=first, second=second, **(fields | changes))


def slopes(first: float, second: float) -> Slopes:
    return Slopes(
        layers=2,
        first=first,
        second=second,
        stages=[StagePair(stage="a", layers=2, first=first, second=second)],
    )


def said(story: Story, subject: str) -> Statement:
    (found,) = [one for one in story.statements if one.subject == subject]
    return found


def everything(story: Story) -> str:
    parts = [story.headline, story.verdict, *story.notes]
    for one in story.statements:
        parts += [one.number, one.unit, one.sentence, *(link.text + link.address for link in one.links)]
    return " | ".join(parts)


def percents(sentence: str) -> list[float]:
    return [float(one) for one in re.findall(r"(\d+(?:\.\d+)?) %", sentence)]


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


PAPER = np.linspace(0.9, 0.6, 4)[:, None] * np.ones((1, 4))
NARROW = np.array([[0.3, 0.1, 0.7, 0.71]] * 4)


@pytest.mark.parametrize(
    ("accuracies", "second", "headline", "verdict"),
    [
        ((0.4, 0.395), NARROW, "Accuracy is alike; spectra differ", "So it was in the paper"),
        ((0.4, 0.3), NARROW, "Accuracy differs; spectra differ", "but accuracy was alike"),
        ((0.4, 0.395), PAPER, "Accuracy is alike; spectra are alike throughout", "but spectra differed"),
        ((0.4, 0.3), PAPER, "Accuracy differs; spectra are alike throughout", "The opposite of the paper"),
        ((0.0, 0.0), NARROW, "Spectra differ", ""),
    ],
)
def test_the_headline_says_what_the_paper_found(
    accuracies: tuple[float, float], second: np.ndarray, headline: str, verdict: str
) -> None:
    story = tell(comparison(measured(PAPER), measured(second), accuracy=accuracy(*accuracies)))
    assert story.headline == headline
    assert verdict in story.verdict
    assert bool(story.verdict) == bool(verdict)


def test_the_paper_is_not_held_against_other_pairs() -> None:
    roles: list[tuple[Role, Role]] = [
        ("scratch", "scratch"),
        ("pre-trained", "pre-trained"),
        ("unknown", "scratch"),
    ]
    for first, second in roles:
        story = tell(
            comparison(
                measured(PAPER), measured(NARROW), first=reference(1, first), second=reference(2, second)
            )
        )
        assert "of another kind" in story.verdict
        assert [one.name for one in story.runs] == ["run 1", "run 2"]
        assert "run 1 uses" in said(story, "Start").sentence


def test_runs_alike_in_the_end_only_are_said_to_be() -> None:
    late = np.concatenate([NARROW[:, :1], PAPER[:, 1:]], axis=1)
    assert (
        tell(comparison(measured(PAPER), measured(late))).headline
        == "Spectra differ at first, not at the end"
    )
    between = PAPER.copy()
    between[:, 1] -= 0.3
    assert tell(comparison(measured(PAPER), measured(between))).headline == "Spectra differ on the way only"


def test_a_dip_is_told_with_its_iteration() -> None:
    sentence = said(tell(comparison(measured(PAPER), measured(NARROW))), "Course").sentence
    assert sentence.startswith(
        "S first falls from 30 % to 10 % (iteration 10), then widens to 71 %, settled from"
    )
    assert "iteration 20 on (67 %); I stays at 75 %" in sentence
    assert "I hardly moves: layers end on average 0.0 points from their start in I, 41 in S." in sentence


def test_where_the_pretrained_run_moves_more_it_is_said() -> None:
    sentence = said(tell(comparison(measured(NARROW), measured(PAPER))), "Course").sentence
    assert sentence.endswith("here the pre-trained run moves more.")
    assert "S hardly moves" in sentence


def test_seeds_are_named_where_there_are_some() -> None:
    seeds = Seeds(run_ids=[1, 5, 6], lowest=0.38, highest=0.40)
    found = accuracy(0.4, 0.39, first_seeds=seeds)
    sentence = said(tell(comparison(None, None, accuracy=found)), "Accuracy").sentence
    assert (
        sentence
        == "Accuracy is alike: AP 40.0 for I, 39.0 for S. Seeds alone differ by up to 2.0 points (3 of I)."
    )
    same = accuracy(0.4, 0.39, first_seeds=seeds, second_seeds=seeds)
    sentence = said(tell(comparison(None, None, accuracy=same)), "Accuracy").sentence
    assert sentence.endswith("They are two of 3 seeds of one training, which differ by up to 2.0 points.")
    sentence = said(tell(comparison(None, None, accuracy=accuracy(0.4, 0.39))), "Accuracy").sentence
    assert "One seed each" in sentence


def test_what_makes_the_numbers_measure_something_else_is_said() -> None:
    few = np.array([1.0, 100, 100, 100])
    unresolved = np.zeros((4, 4), bool)
    unresolved[:2, :2] = True
    found = comparison(
        measured(PAPER, positions_per_channel=few),
        measured(NARROW, unresolved=unresolved, length=60),
        settings={"norm": ["model.norm"], "data": ["dataset_id"], "seed": ["training.seed"]},
        recorded=True,
        accuracy=accuracy(0.4, 0.39),
        layers_second=9,
    )
    story = tell(found, of_runs=4)
    notes = " ".join(story.notes)
    assert "Of 4 runs" in notes
    assert "also differ in norm, data and seed" in notes
    assert "did not tell may differ unseen" in notes
    assert "compared: 4 of 4 and 9" in notes
    assert "50 %: I to iteration 10 of 30 and S to iteration 30 of 60" in notes
    assert "1 layer of 4 read" in notes
    assert "2 layers of S (up to iteration 10)" in notes
    assert "on different data" in said(story, "Accuracy").sentence
    assert story.headline == "Spectra differ", "accuracies on different data are not alike or unlike"
    assert "At 50 % of each training" in said(story, "Depth").sentence
    assert "&align=progress&p=50.000&c=absolute#" in said(story, "Depth").links[0].address


def test_runs_without_spectra_or_common_layers_say_so() -> None:
    bare = tell(comparison(measured(PAPER), None))
    assert bare.headline == "Nothing to compare yet"
    assert "S has none yet" in bare.notes[-1]
    assert [one.subject for one in bare.statements] == ["Accuracy", "Widths"]
    strangers = tell(comparison(measured(PAPER, stages=["a"] * 4), measured(PAPER, stages=["b"] * 4)))
    assert "no layer of the same name" in strangers.notes[-1]


def test_a_run_of_unknown_length_that_goes_on_has_no_end() -> None:
    found = comparison(
        measured(PAPER), measured(NARROW[:, :3], live=True), second=reference(2, "scratch", status="running")
    )
    story = tell(found)
    assert said(story, "Depth").sentence.startswith("So far S uses")
    assert "S may still go on" in " ".join(story.notes)


def test_links_open_the_view_that_is_spoken_of() -> None:
    story = tell(
        comparison(measured(PAPER), measured(NARROW), slopes=slopes(1, 2), accuracy=accuracy(0.4, 0.3))
    )
    found = {one.subject: [link.address for link in one.links] for one in story.statements}
    assert found == {
        "Accuracy": ["/compare?runs=1,2&c=absolute#chart-average_precision-1-2"],
        "Start": ["/compare?runs=1,2&layer=layer1.0&i=0&c=absolute#chart-dimension_by_depth-1-2"],
        "Course": [
            "/compare?runs=1,2&c=absolute#chart-heatmap-2",
            "/compare?runs=1,2&layer=layer1.0&c=absolute#chart-dimension_by_iteration-1-2",
        ],
        "Depth": ["/compare?runs=1,2&layer=layer1.0&i=30&c=absolute#chart-heatmap_difference-1-2"],
        "Shape": ["/compare?runs=1,2&i=30&c=power_law#chart-dimension_by_depth-1-2"],
        "Widths": ["/widths?run=1", "/widths?run=2"],
    }


def test_names_of_layers_cannot_break_out_of_an_address() -> None:
    hostile = [f"a&c=relative#{HOSTILE}\"'"] * 2
    story = tell(comparison(measured(PAPER[:2], stages=hostile), measured(NARROW[:2], stages=hostile)))
    address = said(story, "Start").links[0].address
    assert address.count("&c=") == 1
    assert address.count("#") == 1
    assert not set("<>\"' ") & set(address)
