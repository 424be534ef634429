"""Runs that share a tag as one mean with a band, and which runs these are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from frontend.figures.axes import FigureLayer
from frontend.figures.band import translucent
from frontend.figures.colours import PALETTES
from frontend.figures.dimension_by_depth import DepthSeries, dimension_by_depth
from frontend.figures.dimension_by_iteration import DimensionSeries, dimension_by_iteration
from frontend.figures.groups import FigureGroup, grouped
from frontend.figures.runs import FigureRun
from frontend.figures.seeds import common, mean_and_band, rows_at


def run(number: int, init: str = "scratch", **more: Any) -> FigureRun:
    return FigureRun(number, f"run {number}", init, **({"tags": ("seeds",), "seed": number} | more))


@given(arrays.arrays(np.float32, (5, 7), elements=st.floats(0, 1000, width=32)))
def test_the_band_of_three_or_more_is_the_sample_s_deviation(values: np.ndarray) -> None:
    mean, band = mean_and_band(values)
    exact = values.astype(np.float64)
    expected = exact.sum(axis=0) / 5
    deviation = np.sqrt(((exact - expected) ** 2).sum(axis=0) / 4)
    np.testing.assert_allclose(mean, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(band.high - band.low, 2 * deviation, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((band.high + band.low) / 2, expected, rtol=1e-9, atol=1e-9)
    assert band.words == "± 1 standard deviation"


def test_the_band_of_two_is_the_lower_and_the_higher() -> None:
    mean, band = mean_and_band(np.array([[1.0, 5.0], [3.0, 2.0]]))
    np.testing.assert_array_equal(mean, [2, 3.5])
    np.testing.assert_array_equal(band.low, [1, 2])
    np.testing.assert_array_equal(band.high, [3, 5])
    assert band.words == "lower to higher"


def test_only_iterations_that_all_have_are_averaged() -> None:
    iterations = [np.array(one, dtype=np.int32) for one in ([0, 1, 5, 10], [0, 5, 7, 10], [0, 5, 10, 20])]
    shared = common(iterations)
    np.testing.assert_array_equal(shared, [0, 5, 10])
    rows = rows_at(
        shared, iterations, [at * factor for at, factor in zip(iterations, (1.0, 2.0, 3.0), strict=True)]
    )
    np.testing.assert_array_equal(rows, [[0, 5, 10], [0, 10, 20], [0, 15, 30]])


def names(drawn: list[Any]) -> Iterator[Any]:
    for one in drawn:
        yield (one.name, [member.id for member in one.members]) if isinstance(one, FigureGroup) else one.id


def test_pre_trained_runs_and_runs_from_scratch_are_never_averaged_together() -> None:
    runs = [run(1), run(2, "imagenet"), run(3), run(4, "imagenet"), run(5, "file")]
    assert list(names(grouped(runs, "seeds"))) == [
        ("seeds (S)", [1, 3]),
        ("seeds (I, imagenet)", [2, 4]),
        5,
    ]
    assert list(names(grouped(runs[:1] + runs[2:3], "seeds"))) == [("seeds", [1, 3])]


def test_tags_group_runs_of_one_recipe_by_the_tag_that_most_of_them_share() -> None:
    runs = [
        run(1, tags=("demo", "narrow"), recipe="a"),
        run(2, tags=("demo", "narrow"), recipe="a"),
        run(3, tags=("demo",), recipe="a"),
        run(4, tags=("demo",), recipe="b"),
        run(5, tags=("demo", "narrow"), recipe="b"),
        run(6, tags=("alone",), recipe="b"),
    ]
    assert list(names(grouped(runs, "tags"))) == [("demo", [1, 2, 3]), ("demo", [4, 5]), 6]
    assert list(names(grouped(runs, "narrow"))) == [("narrow", [1, 2, 5]), 3, 4, 6]


def test_tags_group_no_two_runs_of_one_seed() -> None:
    runs = [run(1, seed=0), run(2, seed=0), run(3, seed=1)]
    assert list(names(grouped(runs, "tags"))) == [1, 2, 3]
    assert list(names(grouped(runs, "seeds"))) == [("seeds", [1, 2, 3])]
    unknown = [run(1, seed=None), run(2, seed=None)]
    (group,) = grouped(unknown, "tags")
    assert isinstance(group, FigureGroup)
    assert group.of == "2 runs"


def test_a_group_keeps_its_colour_whatever_runs_are_beside_it() -> None:
    def colour(runs: list[FigureRun]) -> Any:
        return next(one for one in grouped(runs, "seeds") if isinstance(one, FigureGroup)).line("light")

    first, second = colour([run(1), run(2)]), colour([run(9), run(8), run(11, "imagenet")])
    assert first == second
    assert first["color"] in PALETTES["light"].oranges
    assert colour([run(1, "imagenet"), run(2, "imagenet")])["color"] in PALETTES["light"].blues


def test_a_group_is_parted_by_a_dash_from_a_run_of_its_colour() -> None:
    for number in range(40, 44):
        single = run(number, tags=())
        group = grouped([run(1), run(2), single], "seeds")[0]
        if group.line("light")["color"] == single.line("light")["color"]:
            assert group.dash != single.dash
            return
    raise AssertionError("one of four neighbours has the group's colour")


def test_a_mean_along_training_says_of_how_many_seeds_and_draws_its_band_below() -> None:
    (group,) = grouped([run(1), run(2), run(3)], "seeds")
    mean, band = mean_and_band(np.array([[1.0, 2], [2, 4], [6, 6]]))
    figure = dimension_by_iteration("layer1.0", [DimensionSeries(group, (0, 10), mean, 8, None, band)])
    low, high, line = figure.data
    np.testing.assert_allclose(line.y, [3, 4])
    np.testing.assert_allclose(high.y, mean + np.std([[1, 2], [2, 4], [6, 6]], axis=0, ddof=1), rtol=1e-6)
    np.testing.assert_allclose(low.y + high.y, 2 * mean, rtol=1e-6)
    assert high.fill == "tonexty"
    assert (low.hoverinfo, high.hoverinfo) == ("skip", "skip")
    assert line.name == "seeds: mean of 3 seeds, ± 1 s.d."
    assert "± 1 standard deviation" in line.hovertemplate
    np.testing.assert_allclose(line.customdata[:, 3:], np.stack([band.low, band.high], axis=-1), rtol=1e-6)
    assert figure.layout.showlegend
    assert line.meta["runs"] == [1, 2, 3]
    assert line.meta["run"] is None


def test_a_band_on_a_log_axis_stays_above_zero() -> None:
    (group,) = grouped([run(1), run(2)], "seeds")
    mean, band = mean_and_band(np.array([[0.0, 2], [4, 4]]))
    figure = dimension_by_iteration("l", [DimensionSeries(group, (0, 10), mean, 8, None, band)], yscale="log")
    assert (figure.data[0].y > 0).all()


def test_a_mean_by_depth_has_its_band_as_shares() -> None:
    layers = [FigureLayer("a", "s", 4), FigureLayer("b", "s", 8)]
    (group,) = grouped([run(1), run(2)], "seeds")
    rows = np.array([[1.0, 8], [3.0, 4]])
    _, band = mean_and_band(rows / [4, 8])
    figure = dimension_by_depth([DepthSeries(group, 10, layers, rows.mean(axis=0), band)])
    low, high, line = figure.data
    np.testing.assert_allclose(line.y, [0.5, 0.75])
    np.testing.assert_allclose(low.y, [0.25, 0.5])
    np.testing.assert_allclose(high.y, [0.75, 1.0])


def test_a_tag_is_text() -> None:
    runs = [run(1, tags=("<b>%{x}</b>",)), run(2, tags=("<b>%{x}</b>",))]
    (group,) = grouped(runs, "<b>%{x}</b>")
    assert "<b>" not in group.legend
    assert "%{" not in group.legend


def test_translucent_colours_keep_their_hue() -> None:
    assert translucent("#0072b2", 0.18) == "rgba(0, 114, 178, 0.18)"


@pytest.mark.parametrize("count", [1, 2, 16])
def test_runs_are_drawn_once_each(count: int) -> None:
    runs = [run(number, tags=("a", "b")) for number in range(1, count + 1)]
    drawn = grouped(runs, "tags")
    members = [m.id for one in drawn for m in (one.members if isinstance(one, FigureGroup) else (one,))]
    assert sorted(members) == list(range(1, count + 1))
