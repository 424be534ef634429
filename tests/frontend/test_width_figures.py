"""Figures of width plans: numbers in, the right numbers and words in the plotly figure out."""

from __future__ import annotations

import math

import pytest

from frontend.figures.colours import PALETTES
from frontend.figures.width_curve import Kept, left_out, position, width_curve
from frontend.figures.width_groups import GroupWidths, width_groups
from frontend.figures.width_stages import StageCost, width_stages

GROUPS = [
    GroupWidths("stem", ["act1"], 56.0, 4096.0, 64, 80),
    GroupWidths("layer1", [f"layer1.{k}" for k in range(4)], 130.5, 3.2, 256, 128),
    GroupWidths("layer1.0.conv1", ["layer1.0.act1"], 40.0, 100.0, 64, 64),
]


def test_widths_before_and_after_and_dimensionalities_in_network_order() -> None:
    figure = width_groups("a run", GROUPS)
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn["width before"].y) == [64, 256, 64]
    assert list(drawn["width after"].y) == [80, 128, 64]
    assert list(drawn["dimensionality"].y) == [56, 130.5, 40]
    assert all(list(trace.x) == ["stem", "layer1", "layer1.0.conv1"] for trace in figure.data)
    assert list(figure.layout.xaxis.categoryarray) == list(figure.data[0].x)
    assert figure.layout.yaxis.type == "log"
    assert drawn["width after"].marker.color == PALETTES["light"].components[0]


def test_a_step_joins_each_ring_to_its_dot_and_stages_are_parted() -> None:
    shapes = width_groups("a run", GROUPS).layout.shapes
    steps = [(shape.x0, shape.y0, shape.y1) for shape in shapes if shape.yref == "y"]
    assert steps == [(0, 64, 80), (1, 256, 128), (2, 64, 64)]
    assert [shape.x0 for shape in shapes if shape.yref == "y domain"] == [0.5]


def test_hovers_tell_the_change_and_the_maps() -> None:
    (trace, *_) = width_groups("a run", GROUPS).data
    assert list(trace.customdata[1]) == [256, 128, -50, 130.5, 3.2]
    assert list(trace.text) == ["act1", "layer1.0, layer1.1, layer1.2 and 1 more", "layer1.0.act1"]


def test_ticks_are_powers_of_two_around_what_is_drawn() -> None:
    axis = width_groups("a run", GROUPS).layout.yaxis
    assert list(axis.tickvals) == [32, 64, 128, 256]
    assert axis.range[0] < math.log10(40)
    assert axis.range[1] > math.log10(256)


def test_no_group_is_an_empty_figure() -> None:
    assert all(len(trace.x) == 0 for trace in width_groups("a run", []).data)


def test_stages_show_what_changes_and_by_how_much() -> None:
    stages = [
        StageCost("layer4", 15_000_000, 9_000_000),
        StageCost("box_head", 100, 100),
        StageCost("new", 0, 5),
    ]
    figure = width_stages("a run", "parameters", stages)
    before, after = figure.data
    assert list(before.y) == list(after.y) == ["layer4", "box", "new"]
    assert (list(before.x), list(after.x)) == ([15_000_000, 100, 0], [9_000_000, 100, 5])
    assert [one.text for one in figure.layout.annotations] == ["−40 %", "0 %"]
    assert figure.layout.xaxis.range[0] == 0, "bars are read from zero"
    assert figure.layout.meta["title"] == "Parameters of a run by stage"


POINTS = [
    Kept(1e-4, 0.9, 0.95, 1.0),
    Kept(1e-3, 0.7, 0.85, 0.99),
    Kept(1e-2, None, None, None),
    Kept(1e-1, 0.5, 0.7, 0.98),
]


def test_the_curve_breaks_where_no_plan_is_possible_and_marks_this_plan_and_the_papers() -> None:
    figure = width_curve("absolute", POINTS, POINTS[1], 0.73)
    backbone, everything, macs, now = figure.data
    assert list(backbone.y) == [0.9, 0.7, None, 0.5]
    assert list(everything.y) == [0.95, 0.85, None, 0.7]
    assert list(macs.y) == [1.0, 0.99, None, 0.98]
    assert backbone.connectgaps is False
    assert (list(now.x), list(now.y)) == ([1e-3] * 3, [0.7, 0.85, 0.99])
    assert [(shape.y0, shape.y1) for shape in figure.layout.shapes] == [(0.73, 0.73)]
    assert "73 %" in figure.layout.annotations[0].text
    low, high = figure.layout.yaxis.range
    assert low < 0.5
    assert high > 1


def test_a_refused_threshold_has_no_mark() -> None:
    assert len(width_curve("absolute", POINTS, None, 0.73).data[-1].x) == 0


@pytest.mark.parametrize(
    ("criterion", "words"),
    [("stable_rank", "has no threshold"), ("absolute", "No threshold gives a plan")],
)
def test_an_empty_curve_says_why(criterion: str, words: str) -> None:
    points = [] if criterion == "stable_rank" else [Kept(1e-3, None, None, None)]
    figure = width_curve(criterion, points, None, 0.73)
    assert not figure.data
    assert words in figure.layout.meta["empty"]


def test_a_share_near_all_is_drawn_by_what_it_leaves_out() -> None:
    assert left_out("variance")
    assert not left_out("relative")
    assert position("variance", 0.99) == pytest.approx(0.01)
    points = [Kept(0.5, 0.4, 0.5, 1.0), Kept(0.999, 0.8, 0.9, 1.0)]
    axis = width_curve("variance", points, None, 0.73).layout.xaxis
    assert axis.range[0] > axis.range[1], "a larger share is further right"
    assert list(axis.ticktext) == ["0.5", "0.999", "0.99", "0.9"]
