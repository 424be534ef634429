"""Figures of a dataset: both splits over the same bins, every number where it belongs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.datasets.statistics import SIZE_EDGES
from backend.datasets.summary import CategoryCount, Histogram, ImageSizes, SizeGroup
from frontend.figures.category_counts import category_counts
from frontend.figures.image_sizes import image_sizes
from frontend.figures.object_sizes import object_sizes
from frontend.figures.objects_per_image import objects_per_image


def sizes(**counts: int) -> Histogram:
    """Return a histogram from the lower edges of bins, such as _32=5."""
    filled = {float(edge.removeprefix("_")): count for edge, count in counts.items()}
    return Histogram(edges=list(SIZE_EDGES), counts=[filled.get(edge, 0) for edge in SIZE_EDGES[:-1]])


def test_object_sizes_are_shares_between_the_smallest_and_the_largest() -> None:
    figure = object_sizes({"train": sizes(_32=3, _96=1), "val": sizes(_96=2, _288=2)})
    bars, line = figure.data
    assert list(bars.text) == [
        f"{a} – {b} px" for a, b in zip(*two("32 42 55 73 96 126 166 219 288 379"), strict=True)
    ]
    np.testing.assert_allclose(bars.y, [75, 0, 0, 0, 25, 0, 0, 0, 0])
    assert list(bars.customdata) == [3, 0, 0, 0, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(line.y, [0, 0, 0, 0, 0, 50, 0, 0, 0, 50, 50])
    assert list(figure.layout.xaxis.ticktext) == ["32", "96", "288"]
    assert list(figure.layout.xaxis.tickvals) == [0.5, 4.5, 8.5]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.5, 4.5], "COCO's bounds are edges of bins"


def two(edges: str) -> tuple[list[str], list[str]]:
    parts = edges.split()
    return parts[:-1], parts[1:]


def test_the_line_reaches_over_the_outer_bins_and_the_table_has_each_bin_once() -> None:
    histogram = Histogram(edges=[0, 1, 2, 3], counts=[1, 2, 1])
    figure = objects_per_image({"train": histogram, "val": histogram})
    bars, line = figure.data
    assert list(bars.x) == ["1", "2", "3"]
    assert list(line.x) == ["0", "1", "2", "3", "4"]
    np.testing.assert_allclose(line.y, [25, 25, 50, 25, 25])
    assert list(figure.layout.xaxis.range) == [0.5, 3.5]
    assert list(figure.layout.meta["layers"]) == ["", "0", "1", "2", ""]
    assert list(figure.layout.xaxis.categoryarray) == ["0", "1", "2", "3", "4"]


def test_bins_of_several_numbers_say_which() -> None:
    histogram = Histogram(edges=[0, 5, 10], counts=[1, 3])
    bars, _ = objects_per_image({"train": histogram, "val": histogram}).data
    assert list(bars.text) == ["0 – 4", "5 – 9"]


def test_categories_are_sorted_by_training_and_none_of_a_kind_is_no_mark() -> None:
    train = [CategoryCount(objects=n, images=n) for n in (3, 90, 0)]  # 90 is 30 times 3: a logarithmic axis
    val = [CategoryCount(objects=n, images=n) for n in (0, 10, 4)]
    figure = category_counts(["cat", "<b>dog</b>", "%{x}"], {"train": train, "val": val})
    bars, line = figure.data
    np.testing.assert_array_equal(bars.y, [90, 3, np.nan])
    assert list(bars.customdata) == [90, 3, 0]
    np.testing.assert_array_equal(line.y[1:-1], [10, np.nan, 4])
    assert list(figure.layout.meta["layers"]) == ["", "<b>dog</b>", "cat", "%{x}", ""]
    shown = figure.to_dict()
    shown["layout"].pop("meta")
    assert "<b>dog" not in str(shown)
    assert list(bars.text) == ["&lt;b&gt;dog&lt;/b&gt;", "cat", "%&#123;x&#125;"]
    assert figure.layout.yaxis.type == "log"


def test_categories_that_differ_little_stand_on_a_linear_axis() -> None:
    counts = [CategoryCount(objects=n, images=n) for n in (80, 3, 0)]
    figure = category_counts(["a", "b", "c"], {"train": counts, "val": counts}, noun="images")
    assert figure.layout.yaxis.type != "log"
    assert list(figure.data[0].y) == [80, 3, 0]
    assert figure.layout.meta["title"] == "Images by category"
    assert "images" in figure.data[0].hovertemplate


def test_categories_of_one_name_stay_apart() -> None:
    counts = [CategoryCount(objects=n, images=n) for n in (3, 2)]
    figure = category_counts(["cat", "cat"], {"train": counts, "val": counts})
    assert len(set(figure.data[0].x)) == 2


def test_many_categories_have_no_names_below_the_axis() -> None:
    counts = [CategoryCount(objects=n, images=n) for n in range(1203)]
    figure = category_counts([f"class {k}" for k in range(1203)], {"train": counts, "val": counts})
    assert not figure.layout.xaxis.tickvals
    assert figure.layout.xaxis.title.text == "1,203 categories by frequency"


def test_areas_of_bubbles_are_shares_of_the_images() -> None:
    groups = [SizeGroup(width=640, height=480, images=16), SizeGroup(width=480, height=640, images=4)]
    found = ImageSizes(step=1, groups=groups)
    grouped = ImageSizes(step=8, groups=[SizeGroup(width=640, height=480, images=1)])
    first, second = image_sizes({"train": found, "val": grouped}).data
    assert (list(first.x), list(first.y)) == ([640, 480], [480, 640])
    assert (first.marker.size[0] / first.marker.size[1]) ** 2 == pytest.approx(4)
    assert (second.x[0], second.y[0]) == (643.5, 483.5), "the middle of its group"
    assert second.hovertemplate.startswith("about ")
    np.testing.assert_allclose(first.customdata, [[16, 80], [4, 20]])


def test_json_of_an_absent_category_holds_no_bare_nan() -> None:
    counts = [CategoryCount(objects=0, images=0)]
    text = category_counts(["a"], {"train": counts, "val": counts}).to_json()
    json.loads(text, parse_constant=lambda token: pytest.fail(token))
