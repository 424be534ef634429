"""The dimensionality of the chosen layers, of each run and of runs drawn as one, to be read at the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.models import Run
from frontend import gather
from frontend.figures.colours import colour_class
from frontend.figures.groups import FigureGroup, groups
from frontend.figures.quantity import quantity
from frontend.figures.runs import FigureRun
from frontend.report.cursor import Cursor
from frontend.report.move import union_of_steps
from frontend.report.request import ReportRequest

DIGITS = 6


@dataclass(frozen=True)
class Reading:
    """A row's numbers of one layer, None where there is none."""

    layer: str
    row: str
    steps: tuple[float, ...]
    values: tuple[float | None, ...]
    width: int
    slope: bool

    def packed(self) -> dict[str, Any]:
        """Return what the report's script reads."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """A run, or runs drawn as one: its name, and the dash and colour of its line, empty of a run within another row."""

    key: str
    name: str
    dash: str
    colour: str
    run: int | None


def rows_of(runs: Sequence[Run], band: str) -> list[Row]:
    """Return a row for each run, and behind them one for each group that is drawn as its mean."""
    drawn = gather.figure_runs(runs)
    found = groups(drawn, band)
    within = {run.id for group in found for run in group.members}
    return [
        *(
            Row(
                str(one.id),
                one.name,
                "" if one.id in within else one.dash,
                colour_class(one.id, one.init),
                one.id,
            )
            for one in drawn
        ),
        *(
            Row(_key(one), f"{one.name}: mean of {one.of}", one.dash, colour_class(one.id, one.init), None)
            for one in found
        ),
    ]


def readings(
    session: Session, runs: Sequence[Run], layers: Sequence[str], asked: ReportRequest, cursor: Cursor
) -> list[Reading]:
    """Return the readings of all runs that have one of the layers, and the means of groups."""
    slope = not quantity(asked.criterion).of_width
    drawn = gather.figure_runs(runs)
    found: list[Reading] = []
    for layer in layers:
        of_run = {}
        for run in drawn:
            known = _row(session, run, layer, asked)
            if known is not None:
                of_run[run.id] = known
                steps = cursor.steps(run.id, known[0])
                found.append(Reading(layer, str(run.id), steps, _rounded(known[1]), known[2], slope))
        for group in groups(drawn, asked.view.band):
            members = {run.id: of_run[run.id] for run in group.members if run.id in of_run}
            if len({width for _, _, width in members.values()}) == 1:
                found.append(_mean(group, members, layer, slope, cursor))
    return found


_Known = tuple[tuple[int, ...], NDArray[np.float64], int]


def _row(session: Session, run: FigureRun, layer: str, asked: ReportRequest) -> _Known | None:
    known = gather.dimensions(session, run, asked.criterion, asked.chosen_threshold)
    row = known.row(layer)
    return None if row is None else (known.iterations, known.values[row], known.layers[row].width)


def _mean(group: FigureGroup, members: dict[int, _Known], layer: str, slope: bool, cursor: Cursor) -> Reading:
    steps = union_of_steps([cursor.steps(run, iterations) for run, (iterations, _, _) in members.items()])
    values = [
        values[cursor.columns(run, iterations, steps)] for run, (iterations, values, _) in members.items()
    ]
    (width,) = {width for _, _, width in members.values()}
    return Reading(layer, _key(group), steps, _rounded(np.mean(values, axis=0)), width, slope)


def _key(group: FigureGroup) -> str:
    return "-".join(str(run.id) for run in group.members)


def _rounded(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(f"{value:.{DIGITS}g}") for value in values.tolist())
