"""Every figure of runs by its name: what the API, reports and notebooks draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.errors import NotFound
from frontend.builders import dimensions, spectra, training
from frontend.figure_request import FigureRequest

Builder = Callable[[Session, FigureRequest], go.Figure]


@dataclass(frozen=True)
class FigureKind:
    """A figure: its name in addresses, its title for people, and what it reads of a `FigureRequest`.

    `parameters` names the fields of the request besides `runs` and `theme`, which every figure reads.
    """

    name: str
    title: str
    parameters: tuple[str, ...]
    build: Builder


_CRITERION = ("criterion", "threshold")
_ALL = (
    FigureKind("heatmap", "Dimensionality by layer and iteration", _CRITERION, dimensions.build_heatmap),
    FigureKind(
        "heatmap_difference",
        "Difference of dimensionality between two runs",
        _CRITERION,
        dimensions.build_heatmap_difference,
    ),
    FigureKind(
        "spectrum", "Eigenspectrum of a layer", ("layer", "iteration", *_CRITERION), spectra.build_spectrum
    ),
    FigureKind(
        "dimension_by_iteration",
        "Dimensionality of a layer along training",
        ("layer", *_CRITERION),
        dimensions.build_dimension_by_iteration,
    ),
    FigureKind(
        "dimension_by_depth",
        "Dimensionality of all layers at an iteration",
        ("iteration", *_CRITERION),
        dimensions.build_dimension_by_depth,
    ),
    FigureKind("losses", "Training loss", (), training.build_losses),
    FigureKind("learning_rate", "Learning rate", (), training.build_learning_rate),
    FigureKind("average_precision", "Average precision", (), training.build_average_precision),
    FigureKind("metric", "A metric of one's own", ("metric",), training.build_metric),
)

FIGURES: Mapping[str, FigureKind] = MappingProxyType({kind.name: kind for kind in _ALL})
"""The figures by name, in the order in which a report shows them."""


def figure(session: Session, name: str, asked: FigureRequest) -> go.Figure:
    """Return the figure of that name, drawn from what the database holds.

    Raises `NotFound` for a name that there is not, `InvalidInput` for what the figure cannot show.
    """
    if name not in FIGURES:
        raise NotFound(f"there is no figure '{name}'; take one of {', '.join(FIGURES)}")
    return FIGURES[name].build(session, asked)
