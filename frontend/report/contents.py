"""Which figures stand in a report, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.measurements import repository
from backend.models import Run
from frontend.figure_catalogue import FIGURES
from frontend.figure_request import FigureRequest
from frontend.figures.colours import Theme
from frontend.layer_choice import first_layer
from frontend.report.request import ReportRequest
from frontend.training_charts import charts_of_comparison, charts_of_run

OF_ONE_RUN = "heatmap"
OF_TWO_RUNS = "heatmap_difference"
OF_LAYERS = ("spectrum", "dimension_by_iteration")
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")
TALL = ("compare", "spectrum", OF_ONE_RUN, OF_TWO_RUNS)


@dataclass(frozen=True)
class Panel:
    """One figure of a report, of these runs; `layer` and `metric` where the figure is of one."""

    figure: str
    runs: tuple[int, ...]
    layer: str = ""
    metric: str = ""

    @property
    def tall(self) -> bool:
        """Whether it needs height to be read."""
        return self.figure in TALL

    @property
    def file_stem(self) -> str:
        """A name for its file: of letters that every file system takes."""
        of_run = [f"run-{self.runs[0]}"] if self.figure == OF_ONE_RUN else []
        parts = [self.figure, *of_run, self.layer, self.metric]
        return "-".join(_FOREIGN.sub("-", part).strip("-.") for part in parts if part)

    @property
    def reads(self) -> tuple[str, ...]:
        """What it depends on besides its runs."""
        return FIGURES[self.figure].parameters

    def request(self, asked: ReportRequest, theme: Theme) -> FigureRequest:
        """Return what the catalogue is asked for."""
        given = {
            "layer": self.layer,
            "iteration": asked.iteration,
            "criterion": asked.criterion,
            "threshold": asked.threshold,
            "metric": self.metric,
            **asked.view.parameters,
        }
        read = {name: value for name, value in given.items() if name in self.reads}
        return FigureRequest(runs=",".join(map(str, self.runs)), theme=theme, **read)


def chosen_layers(session: Session, runs: Sequence[Run], asked: ReportRequest) -> tuple[str, ...]:
    """Return the layers asked for, or the one that a page shows first; none where nothing was measured.

    Raises NotFound for a layer that none of the runs has.
    """
    found = [layer for run in runs for layer in repository.layers(session, run.id)]
    names = {layer.name for layer in found}
    for name in asked.layers:
        if name not in names:
            raise NotFound(f"none of these runs has a layer '{name}'; see the list of layers on their pages")
    return asked.layers or tuple(filter(None, [first_layer(found)]))


def panels(session: Session, runs: Sequence[Run], asked: ReportRequest) -> list[Panel]:
    """Return the figures asked for, or those that the runs' own page shows."""
    layers = chosen_layers(session, runs, asked)
    ids = tuple(run.id for run in runs)
    if asked.figures:
        return [panel for name in asked.figures for panel in _of_figure(name, ids, layers)]
    charts = charts_of_run(session, runs[0]) if len(runs) == 1 else charts_of_comparison(session, runs)
    training = [Panel(chart.figure, ids, metric=chart.metric) for chart in charts]
    return [*_of_spectra(ids, layers), *training]


def _of_spectra(ids: tuple[int, ...], layers: tuple[str, ...]) -> list[Panel]:
    if not layers:
        return []
    names = [*OF_LAYERS, "dimension_by_depth", OF_ONE_RUN, *([OF_TWO_RUNS] if len(ids) == 2 else [])]
    return [panel for name in names for panel in _of_figure(name, ids, layers)]


def _of_figure(name: str, ids: tuple[int, ...], layers: tuple[str, ...]) -> Iterator[Panel]:
    groups = [(run,) for run in ids] if name == OF_ONE_RUN else [ids]
    of_layer = "layer" in FIGURES[name].parameters
    for group in groups:
        for layer in layers if of_layer else ("",):
            yield Panel(name, group, layer)
