"""What the database holds of one layer at one iteration, as the spectrum figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements import repository, service
from backend.models import Run
from backend.spectra.criteria import Criterion, dimensionality
from backend.spectra.fit import fitted_power_law
from frontend import gather
from frontend.figures.alignment import Align
from frontend.figures.colours import Theme
from frontend.figures.groups import FigureGroup, groups
from frontend.figures.quantity import quantity
from frontend.figures.runs import FigureRun
from frontend.figures.spectrum import LOG_OF_EIGENVALUES, SpectrumLine, spectrum
from frontend.figures.spectrum_band import SpectrumBand
from frontend.figures.spectrum_scale import SpectrumScale


@dataclass(frozen=True)
class SpectrumView:
    """What the figure is asked to show; `iteration` None takes each run's last snapshot, `band` as `groups` says."""

    layer: str
    iteration: int | None
    criterion: str
    threshold: float | None
    scale: SpectrumScale = LOG_OF_EIGENVALUES
    band: str = ""
    align: Align = "iteration"
    """Whether `iteration` is every run's, or the first run's and the others stand at the same share of training."""


def spectrum_figure(
    session: Session, runs: Sequence[FigureRun], view: SpectrumView, theme: Theme = "light"
) -> go.Figure:
    """Return the figure; a run without the layer, or without a snapshot, has no line."""
    stored = stored_runs(session, runs)
    lines: dict[int, SpectrumLine] = {}
    lowest, highest = np.inf, 0.0
    for run in runs:
        found = _spectra(session, run, view.layer)
        at = (
            None if found is None else gather.last_at(found.iterations.tolist(), target_of(stored, run, view))
        )
        if found is None or at is None:
            continue
        lines[run.id] = line_of(run, int(found.iterations[at]), found.eigenvalues[at], view)
        low, high = range_of(found.eigenvalues, view.scale)
        lowest, highest = min(lowest, low), max(highest, high)
    span = (lowest, highest) if highest > 0 and lowest <= highest else (1e-6, 1.0)
    level = view.scale.level(view.criterion, view.threshold)
    drawn = banded(lines, groups(runs, view.band))
    return spectrum(view.layer, drawn, level, span, theme, view.scale)


def _spectra(session: Session, run: FigureRun, layer: str) -> service.LayerSpectra | None:
    if repository.layer(session, run.id, layer) is None:
        return None
    return service.layer_spectra(session, run.id, layer)


def line_of(
    run: FigureRun, iteration: int, eigenvalues: NDArray[np.float32], view: SpectrumView
) -> SpectrumLine:
    """Return one run's line of a layer: eigenvalues of shape (C,), descending, and what the view makes of them."""
    d = float(dimensionality(eigenvalues, cast(Criterion, view.criterion), view.threshold))
    is_slope = not quantity(view.criterion).of_width
    fit = fitted_power_law(eigenvalues, view.threshold) if is_slope else None
    return SpectrumLine(run, iteration, eigenvalues, d, fit, is_slope)


def range_of(eigenvalues: NDArray[np.float32], scale: SpectrumScale) -> tuple[float, float]:
    """Return the smallest positive and the largest number drawn at any iteration."""
    if scale.height == "cumulative":
        first = scale.drawn(eigenvalues)[:, 0]
        return float(np.nanmin(first, initial=1.0)), 1.0
    values = eigenvalues if scale.height == "absolute" else scale.drawn(eigenvalues)
    # Rows fall, so that most often their ends are all there is to look at.
    last = values[:, -1:]
    if len(last) and (last > 0).all():
        return float(last.min()), float(values[:, 0].max())
    positive = values[values > 0]
    return float(positive.min(initial=np.inf)), float(positive.max(initial=0.0))


def stored_runs(session: Session, runs: Sequence[FigureRun]) -> dict[int, Run]:
    """Return the runs' rows by id, in the order of the figure."""
    ids = [run.id for run in runs]
    found = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(ids)))}
    return {run_id: found[run_id] for run_id in ids}


def target_of(stored: dict[int, Run], run: FigureRun, view: SpectrumView) -> int | None:
    """Return the iteration of the run that the cursor stands for."""
    first = next(iter(stored.values()))
    own, others = stored[run.id].iterations or 0, first.iterations or 0
    if view.align == "iteration" or view.iteration is None or not own or not others:
        return view.iteration
    return view.iteration * own // others


def banded(
    lines: dict[int, SpectrumLine], chosen: Sequence[FigureGroup]
) -> list[SpectrumLine | SpectrumBand]:
    """Return bands where their first run would stand, and the lines of all other runs."""
    drawn: list[SpectrumLine | SpectrumBand] = []
    placed: set[int] = set()
    for run_id, line in lines.items():
        if run_id in placed:
            continue
        group = next((one for one in chosen if line.run in one.members), None)
        members = [lines[run.id] for run in group.members if run.id in lines] if group else []
        if group is None or len(members) < 2:
            drawn.append(line)
            continue
        placed.update(one.run.id for one in members)
        drawn.append(_as_band(group, members))
    return drawn


def _as_band(group: FigureGroup, members: Sequence[SpectrumLine]) -> SpectrumBand:
    return SpectrumBand(
        replace(group, members=tuple(one.run for one in members)),
        [one.eigenvalues for one in members],
        [one.dimension for one in members],
        members[0].is_slope,
    )
