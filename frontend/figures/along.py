"""The horizontal axis of figures along training, whatever it counts, and what hovers say of a place on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frontend.figures.axes import iteration_axis, union_of_iterations
from frontend.figures.course import Counted, Places, Scale

TIME_UNITS = ((2 * 86400.0, 86400.0, "d"), (2 * 3600.0, 3600.0, "h"), (2 * 60.0, 60.0, "min"))
"""From how many seconds on times are written in which unit."""


@dataclass(frozen=True)
class Points:
    """One line along training: at which iterations it has points, and where these lie on the axis, both rising.

    `places` are iterations, epochs, percent of the training, or seconds.
    """

    iterations: NDArray[np.int32]
    places: Places


@dataclass(frozen=True)
class Along:
    """What the axis counts, on which scale.

    Without a scale, snapshots counted in iterations are equal steps, since they come at 0, 1, 2, 5, 10, … and then
    evenly; all else is linear. On a logarithmic axis what lies at 0 is drawn left of all else, at the mark 0.
    """

    counted: Counted = "iteration"
    scale: Scale = ""

    @property
    def in_steps(self) -> bool:
        """Whether snapshots are drawn as equal steps."""
        return self.counted == "iteration" and not self.scale

    @property
    def type(self) -> str:
        """The kind of scale that metrics, and snapshots that are not equal steps, are drawn on."""
        return self.scale or "linear"


BY_ITERATION = Along()
FEW_ITERATIONS = 8
"""Up to so many, each has its tick."""


@dataclass(frozen=True)
class Axis:
    """An axis, and each of its lines on it.

    `data` has for each line the columns that `hover` reads, first in `customdata`: the iteration and the place, float32
    (points, 2); or none, (points, 0), where x says it all.
    """

    layout: dict[str, Any]
    meta: dict[str, Any]
    hover: str
    xs: list[Any]
    data: list[NDArray[np.float32]]


@dataclass(frozen=True)
class Placed:
    """One of an axis' lines."""

    axis: Axis
    number: int

    @property
    def x(self) -> Any:
        """Where its points lie."""
        return self.axis.xs[self.number]

    @property
    def data(self) -> NDArray[np.float32]:
        """What hovers read of its points."""
        return self.axis.data[self.number]


def snapshot_axis(lines: Sequence[Points], along: Along) -> Axis:
    """Return the axis of snapshots."""
    if not along.in_steps:
        return number_axis(lines, along)
    union = union_of_iterations([line.iterations.tolist() for line in lines])
    xs = [[str(iteration) for iteration in line.iterations] for line in lines]
    meta = {"x": "iteration", "xscale": "steps", "xunit": ""}
    return Axis(iteration_axis(union), meta, "iteration %{customdata[0]:,}", xs, _data(lines, 1.0))


def number_axis(lines: Sequence[Points], along: Along) -> Axis:
    """Return an axis on which lines lie at their places."""
    scale, unit = _scale((float(line.places.max(initial=0.0)) for line in lines), along.counted)
    meta = {"x": along.counted, "xscale": along.type, "xunit": unit}
    layout: dict[str, Any] = {"title": {"text": _title(along.counted, unit)}, "type": along.type}
    hover = f"{_place_hover(along, unit)}iteration %{{customdata[0]:,}}"
    if along.type == "linear" and along.counted == "iteration":
        layout |= {"rangemode": "tozero", "tickformat": ",d"}
        if max((line.iterations.max(initial=0) for line in lines), default=0) <= FEW_ITERATIONS:
            # Left to itself plotly writes 0 0 0 1 1 1 at fractions of an iteration.
            layout["dtick"] = 1
        data = [np.empty((len(line.iterations), 0), dtype=np.float32) for line in lines]
        return Axis(layout, meta, "iteration %{x:,}", [line.iterations for line in lines], data)
    places = [line.places / scale for line in lines]
    if along.type == "log":
        zero = _zero(places)
        layout |= _log_ticks(places, zero)
        places = [np.where(place > 0, place, zero) for place in places]
    else:
        layout |= {"rangemode": "tozero", "tickformat": ",~r"}
    return Axis(layout, meta, hover, [place.astype(np.float32) for place in places], _data(lines, scale))


def _data(lines: Sequence[Points], scale: float) -> list[NDArray[np.float32]]:
    columns = [np.stack([line.iterations, line.places / scale], axis=-1) for line in lines]
    return [one.astype(np.float32) for one in columns]


def place_words(place: float, counted: Counted) -> str:
    """Return a place as a hover names it beside its iteration; empty of iterations, which say it themselves."""
    scale, unit = _scale([place], counted)
    number = short_number(place / scale)
    words: dict[Counted, str] = {
        "iteration": "",
        "epoch": f"epoch {number}",
        "relative": f"{number} % of the training",
        "wall": f"{number} {unit}",
    }
    return words[counted]


def place_ticks(places: Sequence[float], counted: Counted) -> tuple[list[str], str]:
    """Return places as labels of an axis, and the axis' title."""
    scale, unit = _scale(places, counted)
    return [short_number(place / scale) for place in places], _title(counted, unit)


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the length in seconds, and the name, of the unit in which so long a time is written."""
    for least, scale, unit in TIME_UNITS:
        if seconds >= least:
            return scale, unit
    return 1.0, "s"


def short_number(value: float) -> str:
    """Write a place with three digits, large ones whole."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _scale(places: Iterable[float], counted: Counted) -> tuple[float, str]:
    """Return what places are divided by to be read, and the unit they are then in."""
    if counted == "wall":
        return time_unit(max(places, default=0.0))
    return 1.0, "%" if counted == "relative" else ""


def _title(counted: Counted, unit: str) -> str:
    titles: dict[Counted, str] = {
        "iteration": "iteration",
        "epoch": "epoch",
        "relative": "share of the planned training (%)",
        "wall": f"time since the start ({unit})",
    }
    return titles[counted]


def _place_hover(along: Along, unit: str) -> str:
    """Return the words before the iteration; x itself is no number to show, since a log axis moves zero."""
    place = "%{customdata[1]:.3~r}"
    words: dict[Counted, str] = {
        "iteration": "",
        "epoch": f"epoch {place}, ",
        "relative": f"{place} % of the training, ",
        "wall": f"{place} {unit}, ",
    }
    return words[along.counted]


def _zero(places: Sequence[Places]) -> float:
    """Return where zero is drawn on a logarithmic axis: at half of the smallest positive place."""
    positive = [float(place[place > 0].min()) for place in places if (place > 0).any()]
    return min(positive) / 2 if positive else 0.5


def _log_ticks(places: Sequence[Places], zero: float) -> dict[str, Any]:
    largest = max((float(place.max(initial=0.0)) for place in places), default=0.0)
    starts = any((place <= 0).any() for place in places)
    low = zero if starts else 2 * zero
    high = max(largest, 2 * low)
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    digits = (1, 2, 5) if len(decades) < 4 else (1,)
    values = [digit * 10.0**decade for decade in decades for digit in digits]
    shown = [value for value in values if 2 * zero * 0.999 <= value <= high * 1.001]
    labels = [short_number(value) for value in shown]
    margin = 0.03 * (log10(high) - log10(low))
    return {
        "tickmode": "array",
        "tickvals": [zero, *shown] if starts else shown,
        "ticktext": ["0", *labels] if starts else labels,
        "range": [log10(low) - margin, log10(high) + margin],
    }
