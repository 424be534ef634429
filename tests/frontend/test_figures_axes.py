"""What figures have in common: axes, labels, and one colour for each run."""

from __future__ import annotations

import pytest

from frontend.figures.axes import (
    FigureLayer,
    axis_top,
    iteration_axis,
    log_ticks,
    merged_layers,
    stage_bounds,
)
from frontend.figures.colours import PALETTES, colour_class, run_colour
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun, told_apart

I_RUN = FigureRun(2, "I: pre-trained", "imagenet")
LAYERS = [
    FigureLayer("stem.act1", "stem", 4),
    FigureLayer("layer1.0", "layer1", 8),
    FigureLayer("layer1.1", "layer1", 8),
]


def test_long_names_are_cut_in_the_middle() -> None:
    cut = label("a" * 40 + "b" * 40)
    assert len(cut) == 48
    assert cut.startswith("aaa")
    assert cut.endswith("bbb")


def test_a_run_keeps_its_colour_and_two_alike_differ_by_dash() -> None:
    assert run_colour(2, "imagenet", "light") in PALETTES["light"].blues
    assert run_colour(2, "scratch", "dark") in PALETTES["dark"].oranges
    assert colour_class(2, "run") == "blue-2"
    first, second, third = told_apart(
        [I_RUN, FigureRun(6, "same colour", "imagenet"), FigureRun(7, "other", "imagenet")]
    )
    assert (first.dash, second.dash, third.dash) == ("solid", "dash", "solid")


def test_iteration_axis_labels_first_and_last_and_not_too_many() -> None:
    axis = iteration_axis(list(range(0, 2000, 10)))
    assert axis["tickvals"][0] == "0"
    assert axis["tickvals"][-1] == "1990"
    assert len(axis["tickvals"]) <= 9
    assert axis["ticktext"][-1] == "1,990"


def test_stages_bound_neighbours_and_layers_merge_in_order() -> None:
    assert stage_bounds(LAYERS) == [("stem", 0, 0), ("layer1", 1, 2)]
    assert merged_layers([LAYERS, LAYERS]) == LAYERS


@pytest.mark.parametrize("turned", [False, True])
def test_merging_detectors_tears_no_stage_apart(turned: bool) -> None:
    retinanet = _named("layer4.0 fpn.p5 fpn.p3 fpn.p6 fpn.p7 retina.a retina.b")
    mask_rcnn = _named("layer4.0 fpn.p5 fpn.p3 fpn.p2 fpn.pool rpn.p2 mask.a")
    runs = [mask_rcnn, retinanet] if turned else [retinanet, mask_rcnn]
    merged = merged_layers(runs)
    assert len(merged) == len({layer.name for layer in merged}) == 11
    assert len(stage_bounds(merged)) == len({layer.stage for layer in merged})
    for run in runs:
        assert [layer for layer in merged if layer in run] == run


def test_merging_keeps_each_runs_order_where_a_stage_comes_twice() -> None:
    first, second = _named("a.1 a.2 b.1"), _named("a.1 c.1 a.2")
    assert [layer.name for layer in merged_layers([first, second])] == ["a.1", "c.1", "a.2", "b.1"]


def _named(names: str) -> list[FigureLayer]:
    return [FigureLayer(name, name.partition(".")[0], 4) for name in names.split()]


def test_log_ticks_span_the_values() -> None:
    assert log_ticks([0.3, 4.0])["ticktext"][:4] == ["0.1", "0.2", "0.5", "1"]
    assert log_ticks([0.0, float("nan")]) == {}


def test_small_dimensionalities_are_not_flattened_by_the_full_width() -> None:
    assert axis_top(40.0, 1024.0) == pytest.approx(46)
    assert axis_top(900.0, 1024.0) > 1024
    assert axis_top(0.0, 8.0) > 8
