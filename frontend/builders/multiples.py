"""The figure of several layers beside each other: spectra at one iteration, or dimensionalities along training."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.measurements import repository
from backend.models import Run
from frontend import gather
from frontend.builders.averages import averaged_by_iteration, by_group
from frontend.courses import courses_of
from frontend.figure_request import FigureRequest
from frontend.figures.along import snapshot_axis
from frontend.figures.axes import FigureLayer, merged_layers
from frontend.figures.colours import PALETTES
from frontend.figures.dimension_by_iteration import DimensionSeries, series_traces
from frontend.figures.groups import groups
from frontend.figures.multiples import Panel, multiples
from frontend.figures.quantity import SLOPE_TOP
from frontend.figures.spectrum import line_traces, threshold_line
from frontend.figures.spectrum_scale import TITLES, SpectrumScale
from frontend.layer_choice import block_outputs, layers_of
from frontend.map_kinds import position_note
from frontend.spectrum_lines import SpectrumView, banded, line_of, range_of, stored_runs, target_of

LAYERS_AT_MOST = 200
"""More panels than this no one prints, and a browser takes minutes to draw."""


def build_multiples(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw the chosen layers, those of all runs in network order; without any the outputs of the blocks.

    Raises `InvalidInput` for layers that there are not, and for too many.
    """
    runs = gather.runs_of(session, asked.run_ids)
    layers = _chosen(session, runs, asked.layers)
    draw = _dimensions if asked.show == "dimension" else _spectra
    return draw(session, runs, layers, asked)


def _chosen(session: Session, runs: Sequence[Run], text: str) -> list[FigureLayer]:
    found = [repository.layers(session, run.id) for run in runs]
    rows = [[FigureLayer(o.name, o.stage, o.width, position_note(o.map)) for o in one] for one in found]
    merged = merged_layers(rows)
    names = [layer.name for layer in merged]
    chosen = set(layers_of(names, text) if text else block_outputs([layer for one in found for layer in one]))
    if text and names and not chosen:
        raise InvalidInput(
            f"layers '{text[:60]}' names no layer of these runs; write names of /runs/{{id}}/layers with commas between"
        )
    if len(chosen) > LAYERS_AT_MOST:
        raise InvalidInput(
            f"{len(chosen)} layers are too many for one figure; choose at most {LAYERS_AT_MOST} in layers"
        )
    return [layer for layer in merged if layer.name in chosen]


def _spectra(
    session: Session, runs: Sequence[Run], layers: Sequence[FigureLayer], asked: FigureRequest
) -> go.Figure:
    scale = SpectrumScale(asked.y, asked.xs, asked.ys)
    view = SpectrumView(
        "", asked.iteration, asked.criterion, asked.chosen_threshold, scale, asked.band, asked.align
    )
    drawn = gather.figure_runs(runs)
    stored = stored_runs(session, drawn)
    wanted = {layer.name for layer in layers}
    lines = {
        run.id: {
            name: line_of(run, iteration, values, view)
            for name, iteration, values in _at(session, run.id, wanted, target_of(stored, run, view))
        }
        for run in drawn
    }
    ranges = [range_of(line.eigenvalues[None], scale) for one in lines.values() for line in one.values()]
    lowest = min((low for low, _ in ranges), default=1e-6)
    highest = max((high for _, high in ranges), default=1.0)
    span = (lowest, highest) if highest > 0 and lowest <= highest else (1e-6, 1.0)
    level = scale.level(view.criterion, view.threshold)
    together = groups(drawn, asked.band)
    x, y = _axes_of_spectra(scale, layers, span, level)
    shapes = threshold_line(level, PALETTES[asked.theme].muted)
    panels = []
    for layer in layers:
        of_layer = {run: one[layer.name] for run, one in lines.items() if layer.name in one}
        traces = [
            trace for one in banded(of_layer, together) for trace in line_traces(one, scale, asked.theme)
        ]
        panels.append(Panel(layer, traces, x, y, shapes))
    found = sorted({line.iteration for one in lines.values() for line in one.values()})
    at = f" at iteration {found[0]:,}" if len(found) == 1 else ""
    return multiples(
        f"Eigenspectra of {len(layers):,} layers{at}",
        panels if found else [],
        (x["title"]["text"], TITLES[scale.height]),
        asked.theme,
    )


def _axes_of_spectra(
    scale: SpectrumScale, layers: Sequence[FigureLayer], span: tuple[float, float], level: float | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    x = scale.x_axis(max((layer.width for layer in layers), default=1))
    if scale.x == "log":
        # In a small panel there is room for the decades alone.
        kept = [tick for tick in x["tickvals"] if str(tick).strip("0") == "1"]
        x |= {"tickvals": kept, "ticktext": [f"{tick:,}" for tick in kept]}
    y = scale.y_axis(*span, level)
    y |= {"dtick": 2} if scale.y_kind == "log" and scale.height != "cumulative" else {"nticks": 4}
    return x, y


def _at(
    session: Session, run_id: int, wanted: set[str], target: int | None
) -> list[tuple[str, int, NDArray[np.float32]]]:
    """Return (layer, iteration, eigenvalues) of the run's last snapshot not later than `target`."""
    iterations = repository.snapshot_iterations(session, run_id)
    at = gather.last_at(iterations, target)
    if at is None:
        return []
    names = {one.order: one.name for one in repository.layers(session, run_id) if one.name in wanted}
    rows = repository.spectra_at(session, run_id, iterations[at], list(names))
    return [(names[order], iterations[at], np.frombuffer(blob, "<f4")) for order, blob in rows]


def _dimensions(
    session: Session, runs: Sequence[Run], layers: Sequence[FigureLayer], asked: FigureRequest
) -> go.Figure:
    courses = courses_of(session, runs, asked.x)
    threshold = asked.chosen_threshold
    found = [gather.dimensions(session, run, asked.criterion, threshold) for run in gather.figure_runs(runs)]
    panels, notes = [], list(courses.notes)
    for layer in layers:
        series = []
        for one in found:
            row = one.row(layer.name)
            if row is None or one.run.id not in courses.by_run or not one.iterations:
                continue
            places = courses.by_run[one.run.id].at(one.iterations)
            width = one.layers[row].width
            series.append(DimensionSeries(one.run, one.iterations, one.values[row], width, places))
        drawn, more = by_group(series, runs, asked.band, averaged_by_iteration)
        notes += [note for note in more if note not in notes]
        axis = snapshot_axis([one.points for one in drawn], asked.along)
        traces = [
            trace
            for number, one in enumerate(drawn)
            for trace in series_traces(one, axis, number, asked.theme, asked.quantity, asked.yscale)
        ]
        panels.append(Panel(layer, traces, _sparse(axis.layout), _whole_height(layer, asked)))
    title = f"{asked.quantity.title.capitalize()}, {len(layers):,} layers"
    some = any(one.traces for one in panels)
    titles = (panels[0].x["title"]["text"], asked.quantity.short) if some else ("", "")
    return multiples(title, panels if some else [], titles, asked.theme, asked.quantity.meta, notes)


def _sparse(axis: dict[str, Any]) -> dict[str, Any]:
    """Return an axis along training with as few labels as a small panel has room for."""
    if "tickvals" not in axis or len(axis["tickvals"]) < 4:
        return {**axis, "nticks": 4}
    kept = (0, (len(axis["tickvals"]) - 1) // 2, -1)
    return axis | {name: [axis[name][k] for k in kept] for name in ("tickvals", "ticktext") if name in axis}


def _whole_height(layer: FigureLayer, asked: FigureRequest) -> dict[str, Any]:
    """Return an axis as high as the layer is wide, so that layers are compared by shares of their widths."""
    whole = layer.width if asked.quantity.of_width else SLOPE_TOP
    if asked.yscale == "log":
        return {"type": "log", "range": [log10(whole / 1000), log10(1.04 * whole)], "dtick": 1}
    words = ["0 %", "50 %", "100 %"] if asked.quantity.of_width else ["0", "2", "4"]
    return {"range": [0, 1.04 * whole], "tickvals": [0, whole / 2, whole], "ticktext": words}
