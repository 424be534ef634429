"""Figures: numbers in, the right numbers and words in the plotly figure out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.spectra.criteria import CRITERIA
from backend.spectra.fit import fitted_power_law
from frontend.figures.axes import (
    FigureLayer,
)
from frontend.figures.colours import PALETTES, run_colour
from frontend.figures.dimension_by_depth import DepthSeries, dimension_by_depth
from frontend.figures.dimension_by_iteration import DimensionSeries, dimension_by_iteration
from frontend.figures.heatmap import heatmap
from frontend.figures.heatmap_difference import heatmap_difference
from frontend.figures.metric_lines import MetricSeries
from frontend.figures.metrics import average_precision, learning_rate, losses
from frontend.figures.quantity import SLOPE, SLOPE_TOP, quantity
from frontend.figures.runs import FigureRun
from frontend.figures.spectrum import SpectrumLine, spectrum
from frontend.figures.spectrum_scale import log_range

I_RUN = FigureRun(2, "I: pre-trained", "imagenet")
S_RUN = FigureRun(3, "S: scratch", "scratch")
LAYERS = [
    FigureLayer("stem.act1", "stem", 4),
    FigureLayer("layer1.0", "layer1", 8),
    FigureLayer("layer1.1", "layer1", 8),
]
ITERATIONS = (0, 1, 10)
DIMENSIONS = np.array([[4.0, 3.0, 2.0], [8.0, 4.0, np.nan], [0.0, 2.0, 8.0]])


def test_heatmap_shows_shares_of_the_full_width_in_network_order() -> None:
    figure = heatmap(I_RUN, LAYERS, ITERATIONS, DIMENSIONS)
    (trace,) = figure.data
    np.testing.assert_allclose(trace.z, [[1, 0.75, 0.5], [1, 0.5, np.nan], [0, 0.25, 1]])
    assert (trace.zmin, trace.zmax) == (0, 1)
    assert list(trace.y) == ["stem.act1", "layer1.0", "layer1.1"]
    assert list(trace.x) == ["0", "1", "10"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the input is at the top"
    assert [shape.y0 for shape in figure.layout.shapes] == [0.5], "one line, between stem and layer1"
    assert list(figure.layout.yaxis.ticktext) == ["stem", "layer1"]
    assert figure.layout.meta["layers"] == ["stem.act1", "layer1.0", "layer1.1"]


def test_heatmap_of_a_run_without_snapshots_is_empty() -> None:
    figure = heatmap(I_RUN, LAYERS, (), np.empty((3, 0)))
    assert len(figure.data[0].x) == 0


def test_difference_is_first_minus_second_in_points_centred_at_zero() -> None:
    first, second = np.array([[0.9, 0.5]]), np.array([[0.5, 0.75]])
    figure = heatmap_difference(I_RUN, S_RUN, LAYERS[:1], (0, 1), (first, second))
    (trace,) = figure.data
    np.testing.assert_allclose(trace.z, [[40, -25]], rtol=1e-6)
    assert (trace.zmin, trace.zmid, trace.zmax) == pytest.approx((-40, 0, 40))
    assert trace.colorscale[0][1] == run_colour(3, "scratch", "light")
    assert trace.colorscale[-1][1] == run_colour(2, "imagenet", "light")


def test_difference_of_two_runs_of_one_hue_ends_in_two_hues() -> None:
    first, second = FigureRun(4, "a", "unknown"), FigureRun(5, "b", "unknown")
    (trace,) = heatmap_difference(first, second, LAYERS[:1], (0,), (np.ones((1, 1)), np.zeros((1, 1)))).data
    assert (trace.colorscale[-1][1], trace.colorscale[0][1]) == PALETTES["light"].ends


def test_hovers_say_whose_positions_a_layer_has() -> None:
    noted = FigureLayer("box_head.fc6", "box_head", 4, "positions are the proposals'")
    words = "(positions are the proposals&#x27;)"
    (heat,) = heatmap(I_RUN, [LAYERS[0], noted], (0,), np.ones((2, 1))).data
    assert list(heat.y) == ["stem.act1", f"box_head.fc6 {words}"]
    figure = dimension_by_depth([DepthSeries(I_RUN, 0, [LAYERS[0], noted], np.ones(2))])
    assert list(figure.data[0].text) == ["", f" {words}"]
    assert "%{text}" in figure.data[0].hovertemplate
    assert list(figure.layout.xaxis.categoryarray) == list(figure.data[0].x) == ["stem.act1", "box_head.fc6"]


def test_difference_of_equal_runs_keeps_a_readable_scale() -> None:
    same = np.array([[0.5, np.nan]])
    (trace,) = heatmap_difference(I_RUN, S_RUN, LAYERS[:1], (0, 1), (same, same)).data
    assert trace.zmax == pytest.approx(5)


def test_spectrum_draws_every_eigenvalue_and_marks_d() -> None:
    values = np.array([1.0, 0.1, 1e-2, 1e-5], np.float32)
    figure = spectrum("layer1.0", [SpectrumLine(I_RUN, 10, values, 3.0)], 1e-3, (1e-5, 1.0))
    curve, marker = figure.data
    np.testing.assert_array_equal(curve.y, values)
    np.testing.assert_array_equal(curve.x, [1, 2, 3, 4])
    assert marker.x[0] == 3
    assert marker.y[0] == pytest.approx(1e-2)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.shapes[0].y0 == 1e-3
    assert "τ = 0.001" in figure.layout.annotations[0].text


def test_spectrum_has_no_threshold_line_for_other_criteria() -> None:
    figure = spectrum("x", [SpectrumLine(I_RUN, 0, np.ones(3, np.float32), 2.5)], None, (1e-5, 1.0))
    assert not figure.layout.shapes


def test_spectrum_without_any_run_that_has_the_layer_is_empty() -> None:
    assert len(spectrum("x", [], 1e-3, (1e-6, 1.0)).data) == 0


def test_axis_holds_spectrum_and_threshold_but_not_rounding() -> None:
    low, high = log_range(1e-12, 10.0, 1e-3)
    assert low == pytest.approx(-7.1)
    assert high == pytest.approx(1.1)
    low, high = log_range(0.5, 1.0, 1e-3)
    assert low < -3 < high


def test_dimension_by_iteration_runs_share_one_axis() -> None:
    series = [
        DimensionSeries(I_RUN, (0, 10), np.array([5.0, 6.0]), 8),
        DimensionSeries(S_RUN, (0, 1), np.array([1.0, 2.0]), 8),
    ]
    figure = dimension_by_iteration("layer1.0", series)
    assert list(figure.layout.xaxis.categoryarray) == ["0", "1", "10"]
    assert [list(trace.y) for trace in figure.data] == [[5, 6], [1, 2]]
    assert figure.layout.meta["iterations"] == [0, 1, 10]


def test_dimension_by_depth_merges_layers_of_different_networks() -> None:
    other = [LAYERS[0], FigureLayer("layer1.0.act2", "layer1", 8), LAYERS[1]]
    series = [
        DepthSeries(I_RUN, 10, LAYERS, np.array([4.0, 8.0, 4.0])),
        DepthSeries(S_RUN, 10, other, np.array([2.0, 4.0, 8.0])),
    ]
    figure = dimension_by_depth(series)
    assert list(figure.layout.xaxis.categoryarray) == ["stem.act1", "layer1.0.act2", "layer1.0", "layer1.1"]
    np.testing.assert_allclose(figure.data[1].y, [0.5, 0.5, 1.0])


def test_only_the_power_law_is_no_share_of_the_width() -> None:
    assert {name for name in CRITERIA if quantity(name) == SLOPE} == {"power_law"}
    assert quantity("absolute").of_width


def test_slopes_are_drawn_as_they_are_on_a_scale_of_their_own() -> None:
    slopes = np.array([[1.2, 0.9, np.nan], [4.0, 2.0, 1.0], [0.5, 0.5, 0.5]])
    figure = heatmap(I_RUN, LAYERS, ITERATIONS, slopes, quantity=SLOPE)
    (trace,) = figure.data
    np.testing.assert_allclose(trace.z, slopes.astype(np.float32))
    assert (trace.zmin, trace.zmax) == (0, SLOPE_TOP)
    assert trace.reversescale, "bright is still where a map uses many dimensions"
    assert "%" not in (trace.colorbar.tickformat or "")
    assert "of %{customdata[1]" not in trace.hovertemplate
    assert figure.layout.meta["title"] == "I: pre-trained: power-law slope α"
    assert figure.layout.meta["quantity"] == "Power-law slope α"


def test_a_difference_of_slopes_is_no_number_of_points() -> None:
    first, second = np.array([[1.5, 1.0]]), np.array([[1.0, 1.75]])
    figure = heatmap_difference(I_RUN, S_RUN, LAYERS[:1], (0, 1), (first, second), quantity=SLOPE)
    (trace,) = figure.data
    np.testing.assert_allclose(trace.z, [[0.5, -0.75]], rtol=1e-6)
    assert trace.zmax == pytest.approx(0.75)
    assert "points" not in trace.hovertemplate
    assert "α" in figure.layout.meta["title"]
    assert "width" not in figure.layout.meta["title"]


def test_axes_of_slopes_hold_the_largest_and_name_them() -> None:
    series = [DimensionSeries(I_RUN, (0, 10), np.array([2.0, np.nan]), 8)]
    figure = dimension_by_iteration("layer1.0", series, quantity=SLOPE)
    assert figure.layout.yaxis.range[1] > 2
    assert figure.layout.yaxis.title.text == "power-law slope α"
    depth = [DepthSeries(I_RUN, 10, LAYERS, np.array([1.0, 2.0, 0.5]))]
    figure = dimension_by_depth(depth, (0.5, 2.0), quantity=SLOPE)
    np.testing.assert_allclose(figure.data[0].y, [1.0, 2.0, 0.5])
    assert figure.layout.yaxis.range[1] > 2
    assert "%" not in figure.layout.yaxis.tickformat
    assert "width" not in figure.layout.meta["title"]


def test_a_slope_is_a_line_over_its_spectrum() -> None:
    values = (3.0 * np.arange(1, 65) ** -1.5).astype(np.float32)
    line = SpectrumLine(I_RUN, 10, values, 1.5, fitted_power_law(values), is_slope=True)
    _, fit = spectrum("layer1.0", [line], None, (1e-5, 3.0)).data
    assert list(fit.x) == [1, 64]
    np.testing.assert_allclose(fit.y, [3.0, 3.0 * 64**-1.5], rtol=1e-4)
    assert fit.meta["part"] == "fit"


def test_an_undefined_slope_draws_no_line() -> None:
    values = np.array([1.0, 0.0, 0.0], np.float32)
    line = SpectrumLine(I_RUN, 10, values, float("nan"), fitted_power_law(values), is_slope=True)
    curve, fit = spectrum("layer1.0", [line], None, (1e-5, 3.0)).data
    assert len(curve.y) == 3
    assert len(fit.x) == 0


def test_losses_of_one_run_show_parts_and_of_several_the_totals() -> None:
    steps = np.arange(100)
    total = MetricSeries(I_RUN, "loss", steps, np.linspace(2, 1, 100))
    part = MetricSeries(I_RUN, "loss_box_reg", steps, np.linspace(1, 0.5, 100))
    alone = losses([total, part])
    assert [trace.name for trace in alone.data if trace.showlegend] == ["total", "box"]
    both = losses([total, part, MetricSeries(S_RUN, "loss", steps, np.linspace(3, 2, 100))])
    assert {trace.name for trace in both.data if trace.showlegend} == {"I: pre-trained", "S: scratch"}


def test_accuracies_are_percentages() -> None:
    figure = average_precision([MetricSeries(I_RUN, "ap", (100, 200), np.array([0.1, 0.374]))])
    np.testing.assert_allclose(figure.data[0].y, [10, 37.4], rtol=1e-6)
    top1 = average_precision([MetricSeries(I_RUN, "top1", (100,), np.array([0.8]))])
    assert "top-1" in top1.layout.yaxis.title.text


def test_learning_rate_is_drawn_as_it_is() -> None:
    figure = learning_rate([MetricSeries(I_RUN, "lr", (0, 1), np.array([0.0, 0.01]))])
    np.testing.assert_allclose(figure.data[0].y, [0, 0.01], rtol=1e-6)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_json_holds_no_bare_nan_and_the_theme_s_paper(theme: str) -> None:
    text = heatmap(I_RUN, LAYERS, ITERATIONS, DIMENSIONS, theme).to_json()

    def refuse(token: str) -> None:
        raise AssertionError(token)

    figure = json.loads(text, parse_constant=refuse)
    assert figure["layout"]["template"]["layout"]["paper_bgcolor"] == PALETTES[theme].paper


def test_names_cannot_be_read_as_plotly_s_html_or_templates() -> None:
    hostile = FigureRun(9, '<a href="x">%{y}</a>', "scratch")
    assert hostile.text == "&lt;a href=&quot;x&quot;&gt;%&#123;y&#125;&lt;/a&gt;"
    layers = [FigureLayer("<b>layer</b>", "<i>s</i>", 4)]
    text = heatmap(hostile, layers, (0,), np.ones((1, 1))).to_dict()
    # The raw name stands in meta only, which plotly never draws unless a template asks for it.
    text["layout"]["meta"].pop("layers")
    assert "<b>layer" not in str(text)
    assert "<i>" not in str(text)
