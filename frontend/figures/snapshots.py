"""Columns of a heatmap: one for each snapshot, as wide as any other, whatever the axis counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from frontend.figures.along import Along, place_ticks, place_words
from frontend.figures.axes import iteration_axis
from frontend.figures.course import Places


def column_names(iterations: Sequence[int], places: Places | None, along: Along) -> list[str]:
    """Return what a hover calls each column: its iteration, and its place where the axis counts something else."""
    if places is None or along.counted == "iteration":
        return [str(iteration) for iteration in iterations]
    words = [place_words(float(place), along.counted) for place in places]
    return [f"{iteration} ({word})" for iteration, word in zip(iterations, words, strict=True)]


def column_axis(
    names: Sequence[str], iterations: Sequence[int], places: Places | None, along: Along
) -> dict[str, Any]:
    """Return the axis of the columns of these names, labelled with what it counts."""
    axis = iteration_axis(iterations)
    shown = [int(value) for value in axis["tickvals"]]
    at = [list(iterations).index(iteration) for iteration in shown]
    axis |= {"categoryarray": list(names), "tickvals": [names[k] for k in at], "showgrid": False}
    if places is not None and along.counted != "iteration":
        ticks, title = place_ticks([float(places[k]) for k in at], along.counted)
        axis |= {"ticktext": ticks, "title": {"text": f"{title}, by snapshot"}}
    return axis
