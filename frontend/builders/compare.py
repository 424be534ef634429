"""The figure of a comparison: what the compare page shows first, in one piece."""

from __future__ import annotations

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.measurements import repository
from frontend import gather
from frontend.builders.dimensions import build_dimension_by_depth, build_dimension_by_iteration
from frontend.builders.missing import is_empty
from frontend.builders.spectra import build_spectrum
from frontend.builders.training import build_average_precision
from frontend.figure_request import FigureRequest
from frontend.figures.labels import label
from frontend.figures.side_by_side import side_by_side
from frontend.layer_choice import first_layer


def build_compare(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw spectrum, dimensionality along training and by depth, and accuracy; without a layer the last block's."""
    runs = gather.runs_of(session, asked.run_ids)
    layers = [layer for run in runs for layer in repository.layers(session, run.id)]
    chosen = asked.model_copy(update={"layer": asked.layer or first_layer(layers)})
    short = asked.quantity.short
    parts = {
        f"Eigenspectrum of {label(chosen.layer)}": build_spectrum,
        f"{short} of {label(chosen.layer)}": build_dimension_by_iteration,
        f"{short} by depth": build_dimension_by_depth,
        "Accuracy on the validation split": build_average_precision,
    }
    drawn = {caption: build(session, chosen) for caption, build in parts.items()}
    names = [run.text for run in gather.figure_runs(runs)]
    return side_by_side(
        names[0] if len(names) == 1 else "Comparison",
        {caption: figure for caption, figure in drawn.items() if not is_empty(figure)},
        asked.theme,
    )
