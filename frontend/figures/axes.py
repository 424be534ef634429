"""Axes that several figures share: snapshots by iteration, layers in network order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, log10
from typing import Any

import numpy as np

from frontend.figures.labels import label

LABELS_AT_MOST = 8


@dataclass(frozen=True)
class FigureLayer:
    """A layer in a figure: its name, stage, number of channels, and what hovers say of it beside its name."""

    name: str
    stage: str
    width: int
    note: str = ""

    @property
    def text(self) -> str:
        """The layer's name as plotly text."""
        return label(self.name)

    @property
    def aside(self) -> str:
        """The note as it stands behind the name, as plotly text."""
        return f" ({label(self.note)})" if self.note else ""

    @property
    def hover(self) -> str:
        """The name with its note, as plotly text: the category of a figure that knows one note for each layer."""
        return self.text + self.aside


def union_of_iterations(series: Sequence[Sequence[int]]) -> list[int]:
    """Return every iteration that any of the series has, rising."""
    return sorted({int(iteration) for iterations in series for iteration in iterations})


def iteration_axis(iterations: Sequence[int]) -> dict[str, Any]:
    """Return a category axis over snapshots.

    Snapshots come at 0, 1, 2, 5, 10, … and then evenly, so equal steps show the early ones, which a linear
    axis hides and a logarithmic one (without zero) cannot.
    """
    names = [str(iteration) for iteration in iterations]
    step = max(1, -(-len(names) // LABELS_AT_MOST))
    shown = names[::step]
    if names and names[-1] not in shown:
        shown = [*(shown[:-1] if (len(names) - 1) % step < step / 2 else shown), names[-1]]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [f"{int(name):,}" for name in shown],
        "tickangle": 0,
        "range": [-0.5, len(names) - 0.5],
        "title": {"text": "iteration (snapshots)"},
    }


def merged_layers(runs: Sequence[Sequence[FigureLayer]]) -> list[FigureLayer]:
    """Return the layers of all runs, each name once, in network order.

    A layer that an earlier run lacks goes right behind the one it follows in its own network, or, where a stage
    begins with it, behind what other networks have of the stage before: each run's layers keep their order, and a
    stage is not torn apart.
    """
    merged: list[FigureLayer] = []
    for layers in runs:
        behind, own = 0, {layer.name for layer in layers}
        for layer in layers:
            names = [one.name for one in merged]
            if layer.name in names:
                behind = names.index(layer.name) + 1
                continue
            if behind and merged[behind - 1].stage != layer.stage:
                behind = _end_of_stage(merged, behind, own)
            merged.insert(behind, layer)
            behind += 1
    return merged


def _end_of_stage(merged: Sequence[FigureLayer], start: int, own: set[str]) -> int:
    """Return where others' layers of the stage before `start` end, at the latest before one of `own`."""
    stage, end = merged[start - 1].stage, start
    while end < len(merged) and merged[end].stage == stage and merged[end].name not in own:
        end += 1
    return end


def axis_top(largest: float, full: float) -> float:
    """Return where an axis of dimensionalities ends: at the full width, unless that would flatten the lines."""
    return full * 1.04 if largest > 0.4 * full or largest <= 0 else largest * 1.15


def stage_bounds(layers: Sequence[FigureLayer]) -> list[tuple[str, int, int]]:
    """Return (stage, first, last) of each run of neighbouring layers that share a stage."""
    bounds, start = [], 0
    for stage, members in groupby(layers, key=lambda layer: layer.stage):
        count = len(list(members))
        bounds.append((stage, start, start + count - 1))
        start += count
    return bounds


def layer_axis(layers: Sequence[FigureLayer], least: int = 1) -> dict[str, Any]:
    """Return a category axis over layers, labelled at the middle of each stage of at least `least` layers."""
    bounds = [one for one in stage_bounds(layers) if one[2] - one[1] + 1 >= least]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [layer.text for layer in layers],
        "tickmode": "array",
        "tickvals": [(first + last) / 2 for _, first, last in bounds],
        "ticktext": [label(stage.removesuffix("_head"), 12) for stage, _, _ in bounds],
        "showgrid": False,
        "ticks": "",
    }


def stage_separators(layers: Sequence[FigureLayer], colour: str, across: str) -> list[dict[str, Any]]:
    """Return one hairline between stages; `across` is the axis (`x` or `y`) along which the layers lie."""
    other = "y" if across == "x" else "x"
    return [
        {
            "type": "line",
            f"{across}ref": across,
            f"{other}ref": f"{other} domain",
            f"{across}0": last + 0.5,
            f"{across}1": last + 0.5,
            f"{other}0": 0,
            f"{other}1": 1,
            "line": {"color": colour, "width": 1},
        }
        for _, _, last in stage_bounds(layers)[:-1]
    ]


def log_ticks(values: Sequence[float]) -> dict[str, Any]:
    """Return ticks at 1, 2 and 5 of each decade that positive `values` span, written out in full."""
    positive = [value for value in values if value > 0 and np.isfinite(value)]
    if not positive:
        return {}
    decades = range(floor(log10(min(positive))), ceil(log10(max(positive))) + 1)
    ticks = [
        digit * 10.0**decade for decade in decades for digit in ((1, 2, 5) if len(decades) < 5 else (1,))
    ]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:,.10g}" for tick in ticks]}
