"""What the database holds of runs, as the inputs of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.measurements import repository as measurements
from backend.measurements import service
from backend.models import Run, SpectrumSummary
from backend.runs import repository
from backend.runs.ids import run_ids as run_ids
from backend.spectra.criteria import CRITERIA, dimensionality
from frontend.figures.axes import FigureLayer
from frontend.figures.metric_lines import MetricSeries
from frontend.figures.quantity import Quantity
from frontend.figures.runs import FigureRun, told_apart
from frontend.map_kinds import position_note
from frontend.settings_table import DECISIVE, is_recorded, stated_settings


@dataclass(frozen=True)
class RunDimensions:
    """A run's dimensionalities: `values` (layers, iterations), NaN where missing."""

    run: FigureRun
    layers: tuple[FigureLayer, ...]
    iterations: tuple[int, ...]
    values: NDArray[np.float64]

    def row(self, name: str) -> int | None:
        """Return the row of the layer of that name."""
        names = [layer.name for layer in self.layers]
        return names.index(name) if name in names else None

    def drawn(self, quantity: Quantity) -> NDArray[np.float64]:
        """The values as layers are compared by them: dimensionalities over each layer's width, slopes as they are."""
        widths = np.array([layer.width for layer in self.layers], dtype=np.float64)
        return quantity.drawn(self.values, widths.reshape(-1, 1))


def figure_runs(runs: Sequence[Run]) -> list[FigureRun]:
    """Return what one figure knows of these runs."""
    return told_apart([_figure_run(run) for run in runs])


def _figure_run(run: Run) -> FigureRun:
    specification = run.specification
    settings = stated_settings(specification)
    seed = settings.pop("training.seed", settings.pop("seed", ""))
    if not is_recorded(specification):
        settings = {name: text for name, text in settings.items() if name in DECISIVE}
    return FigureRun(
        run.id,
        run.name,
        specification["init"]["kind"],
        tags=tuple(run.tags),
        seed=int(seed) if seed.isascii() and seed.isdecimal() else None,
        recipe=repr(sorted(settings.items())),
    )


def runs_of(session: Session, ids: Sequence[int]) -> list[Run]:
    """Return the runs of these ids, or say which do not exist."""
    found = repository.many(session, ids)
    missing = [str(i) for i in ids if i not in {run.id for run in found}]
    if missing:
        raise InvalidInput(f"there is no run {', '.join(missing)}; it may have been deleted")
    return found


def dimensions(session: Session, run: FigureRun, criterion: str, threshold: float | None) -> RunDimensions:
    """Return the run's dimensionalities under a criterion."""
    found = service.dimensions(session, run.id, criterion, threshold)
    layers = zip(found.layers, found.stages, found.widths, found.maps, strict=True)
    return RunDimensions(
        run,
        tuple(FigureLayer(name, stage, width, position_note(kind)) for name, stage, width, kind in layers),
        found.iterations,
        found.values,
    )


def layer_dimensions(
    session: Session, run: FigureRun, name: str, criterion: str, threshold: float | None
) -> RunDimensions:
    """Return the same of one layer alone, without reading those of the others; no layer where the run lacks it."""
    layers = [one for one in measurements.layers(session, run.id) if one.name == name]
    if not layers:
        return RunDimensions(run, (), (), np.empty((0, 0)))
    (layer,) = layers
    if criterion == service.PAPER_CRITERION and threshold == service.PAPER_THRESHOLD:
        summary = SpectrumSummary
        query = (
            select(summary.iteration, summary.dimensionality)
            .where(summary.run_id == run.id, summary.layer == layer.order)
            .order_by(summary.iteration)
        )
        rows = session.execute(query).all()
        iterations = tuple(iteration for iteration, _ in rows)
        values = np.array([d for _, d in rows], dtype=np.float64)
    else:
        found = service.layer_spectra(session, run.id, name)
        iterations = tuple(found.iterations.tolist())
        values = dimensionality(found.eigenvalues, CRITERIA[criterion].name, threshold)
    drawn = FigureLayer(layer.name, layer.stage, layer.width, position_note(layer.map))
    return RunDimensions(run, (drawn,), iterations, values.reshape(1, -1))


def metric_series(
    session: Session, runs: Sequence[FigureRun], names: Sequence[str], prefix: str = ""
) -> list[MetricSeries]:
    """Return these metrics of the runs, and all whose name starts with `prefix`, run by run in order of `names`."""
    series = []
    for run in runs:
        found = service.metrics(session, run.id, [] if prefix else names)
        parts = [name for name in found if prefix and name.startswith(prefix) and name not in names]
        for name in [*names, *parts]:
            if name in found:
                values = np.array([np.nan if v is None else v for v in found[name].values], dtype=np.float64)
                series.append(MetricSeries(run, name, found[name].iterations, values))
    return series


def last_at(iterations: Sequence[int], iteration: int | None) -> int | None:
    """Return the index of the last snapshot not later than `iteration` (None: the last); None without any."""
    if not len(iterations):
        return None
    if iteration is None:
        return len(iterations) - 1
    return max(int(np.searchsorted(np.asarray(iterations), iteration, side="right")) - 1, 0)
