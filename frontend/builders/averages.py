"""Lines of runs that belong together, as their mean and band over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.errors import InvalidInput
from backend.models import Run
from frontend.figures.axes import FigureLayer
from frontend.figures.dimension_by_depth import DepthSeries
from frontend.figures.dimension_by_iteration import DimensionSeries
from frontend.figures.groups import ALL_TAGS, Drawn, FigureGroup, grouped
from frontend.figures.quantity import Quantity
from frontend.figures.runs import FigureRun
from frontend.figures.seeds import Band, common, mean_and_band, rows_at
from frontend.settings_table import parting


class Line(Protocol):
    """What a figure draws of a run."""

    @property
    def run(self) -> Drawn:
        """Whose line it is."""


L = TypeVar("L", bound=Line)
Average = Callable[[FigureGroup, list[L]], tuple[L, str] | None]
"""From a group and its runs' lines to their mean and a sentence on what was averaged; None where nothing is shared."""


def by_group(
    series: Sequence[L], runs: Sequence[Run], band: str, average: Average[L]
) -> tuple[list[L], list[str]]:
    """Return the lines, those of each group as one, and sentences on what was averaged; all singly without a band."""
    if not band:
        return list(series), []
    demand_tag(runs, band)
    drawn: list[L] = []
    notes: list[str] = []
    lines = {one.run.id: one for one in series}
    singles = [one.run for one in series if isinstance(one.run, FigureRun)]
    for one in grouped(singles, band):
        if isinstance(one, FigureRun):
            drawn.append(lines[one.id])
            continue
        members = [lines[run.id] for run in one.members]
        averaged = average(one, members)
        if averaged is None:
            drawn += members
            notes.append(
                f"{one.name}: its {one.of} share no iteration or width to be averaged at; each is drawn alone."
            )
            continue
        drawn.append(averaged[0])
        notes += [averaged[1], *_differences(one, runs)]
    return drawn, notes


def averaged_by_iteration(
    group: FigureGroup, members: list[DimensionSeries]
) -> tuple[DimensionSeries, str] | None:
    """Return a layer's mean dimensionality along training."""
    found = averaged_points(
        [np.asarray(one.iterations, dtype=np.int32) for one in members], [one.values for one in members]
    )
    if found is None or len({one.width for one in members}) > 1:
        return None
    shared, mean, band = found
    places = rows_at(
        shared, [one.points.iterations for one in members], [one.points.places for one in members]
    )
    series = DimensionSeries(group, shared.tolist(), mean, members[0].width, places.mean(axis=0), band)
    return series, words_of_average(group, band, len(shared), max(len(one.iterations) for one in members))


def averaged_by_depth(quantity: Quantity) -> Average[DepthSeries]:
    """Return the function that averages every layer at one iteration, as it is drawn."""

    def average(group: FigureGroup, members: list[DepthSeries]) -> tuple[DepthSeries, str] | None:
        layers = _common_layers([one.layers for one in members])
        if not layers:
            return None
        rows = np.array([_of_layers(one, layers) for one in members])
        widths = np.array([layer.width for layer in layers], dtype=np.float64)
        _, band = mean_and_band(quantity.drawn(rows, widths))
        series = DepthSeries(group, members[0].iteration, layers, rows.mean(axis=0), band)
        return series, _depth_words(group, band, members)

    return average


def averaged_points(
    iterations: Sequence[NDArray[np.int32]], values: Sequence[NDArray[np.floating[Any]]]
) -> tuple[NDArray[np.int32], NDArray[np.float64], Band] | None:
    """Return mean and band at the iterations at which all have a finite value; None where there is none."""
    shared = common(iterations)
    rows = rows_at(shared, iterations, values)
    known = np.isfinite(rows).all(axis=0)
    if not known.any():
        return None
    mean, band = mean_and_band(rows[:, known])
    return shared[known], mean, band


def words_of_average(group: FigureGroup, band: Band, shared: int, most: int) -> str:
    """Return one sentence that says what a line along training is the mean of."""
    where = (
        f"at the {shared:,} iterations"
        if shared == most
        else f"at the {shared:,} of up to {most:,} iterations"
    )
    return f"{group.name}: mean of {group.of}, {band.words}, {where} that all of them have."


def _depth_words(group: FigureGroup, band: Band, members: Sequence[DepthSeries]) -> str:
    at = sorted({one.iteration for one in members})
    where = f"iteration {at[0]:,}" if len(at) == 1 else f"their iterations {at[0]:,} to {at[-1]:,}"
    return f"{group.name}: mean of {group.of}, {band.words}, at {where}."


def _common_layers(layers: Sequence[Sequence[FigureLayer]]) -> list[FigureLayer]:
    known = [{(layer.name, layer.width) for layer in one} for one in layers]
    return [layer for layer in layers[0] if all((layer.name, layer.width) in one for one in known)]


def _of_layers(one: DepthSeries, layers: Sequence[FigureLayer]) -> NDArray[np.floating[Any]]:
    row = {layer.name: k for k, layer in enumerate(one.layers)}
    return one.values[[row[layer.name] for layer in layers]]


def demand_tag(runs: Sequence[Run], band: str) -> None:
    """Raise InvalidInput for a tag that none of the runs has."""
    known = sorted({tag for run in runs for tag in run.tags})
    if band == ALL_TAGS or band in known:
        return
    which = f"their tags are {', '.join(known)}" if known else "they have no tags"
    raise InvalidInput(f"none of these runs has the tag '{band[:60]}'; {which}")


def _differences(group: FigureGroup, runs: Sequence[Run]) -> list[str]:
    """Return a sentence that names what else than the seed parts the runs of a group, and those of one seed."""
    members = {run.id for run in group.members}
    names = set(parting([run.specification for run in runs if run.id in members])) - {"seed", "training.seed"}
    seeds = [run.seed for run in group.members if run.seed is not None]
    found = []
    if names:
        found.append(f"{group.name}: its runs also differ in {', '.join(sorted(names))}.")
    if len(set(seeds)) < len(seeds):
        found.append(
            f"{group.name}: some of its runs share a seed, so that the band says less than it seems to."
        )
    return found
