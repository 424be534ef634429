"""Every figure of runs by its name: what the API, reports and notebooks draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.errors import NotFound
from frontend.builders import categories, compare, dimensions, missing, multiples, spectra, training
from frontend.builders.missing import explained, is_empty
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
    missing: Callable[[Session, FigureRequest], str]
    """Why it is empty where it is."""


_CRITERION = ("criterion", "threshold")
_ALONG = ("x", "xscale")
_ALL = (
    FigureKind(
        "heatmap",
        "Dimensionality by layer and iteration",
        (*_CRITERION, "x"),
        dimensions.build_heatmap,
        missing.no_spectra,
    ),
    FigureKind(
        "heatmap_difference",
        "Difference of dimensionality between two runs",
        (*_CRITERION, "x", "align"),
        dimensions.build_heatmap_difference,
        missing.no_difference,
    ),
    FigureKind(
        "spectrum",
        "Eigenspectrum of a layer",
        ("layer", "iteration", *_CRITERION, "y", "xs", "ys", "band", "align"),
        spectra.build_spectrum,
        missing.no_spectra,
    ),
    FigureKind(
        "dimension_by_iteration",
        "Dimensionality of a layer along training",
        ("layer", *_CRITERION, *_ALONG, "yscale", "band"),
        dimensions.build_dimension_by_iteration,
        missing.no_spectra,
    ),
    FigureKind(
        "dimension_by_depth",
        "Dimensionality of all layers at an iteration",
        ("iteration", *_CRITERION, "yscale", "band", "align"),
        dimensions.build_dimension_by_depth,
        missing.no_spectra,
    ),
    FigureKind(
        "multiples",
        "Several layers beside each other",
        ("layers", "show", "iteration", *_CRITERION, "y", "xs", "ys", *_ALONG, "yscale", "band", "align"),
        multiples.build_multiples,
        missing.no_spectra,
    ),
    FigureKind(
        "compare",
        "Spectrum, dimensionality and accuracy side by side",
        ("layer", "iteration", *_CRITERION),
        compare.build_compare,
        missing.no_spectra,
    ),
    FigureKind(
        "losses",
        "Training loss",
        ("smooth", *_ALONG, "yscale", "band"),
        training.build_losses,
        missing.no_metric,
    ),
    FigureKind(
        "learning_rate",
        "Learning rate",
        (*_ALONG, "yscale", "band"),
        training.build_learning_rate,
        missing.no_metric,
    ),
    FigureKind(
        "average_precision",
        "Average precision",
        (*_ALONG, "band"),
        training.build_average_precision,
        missing.no_accuracy,
    ),
    FigureKind(
        "precision_by_size",
        "Average precision by the objects' size",
        _ALONG,
        training.build_precision_by_size,
        missing.no_accuracy,
    ),
    FigureKind(
        "precision_by_category",
        "Average precision by category",
        ("iteration",),
        categories.build_precision_by_category,
        missing.no_accuracy,
    ),
    FigureKind("gpu_memory", "GPU memory", _ALONG, training.build_gpu_memory, missing.no_metric),
    FigureKind(
        "metric",
        "A metric of one's own",
        ("metric", "smooth", *_ALONG, "yscale", "band"),
        training.build_metric,
        missing.no_metric,
    ),
)

FIGURES: Mapping[str, FigureKind] = MappingProxyType({kind.name: kind for kind in _ALL})
"""The figures by name, in the order in which a report shows them."""


def figure(session: Session, name: str, asked: FigureRequest) -> go.Figure:
    """Return the figure of that name, drawn from what the database holds.

    Raises `NotFound` for a name that there is not, `InvalidInput` for what the figure cannot show.
    """
    if name not in FIGURES:
        raise NotFound(f"there is no figure '{name}'; take one of {', '.join(FIGURES)}")
    kind = FIGURES[name]
    drawn = kind.build(session, asked)
    return explained(session, asked, drawn, kind.missing(session, asked)) if is_empty(drawn) else drawn
