"""The figure of one layer's eigenspectra."""

from __future__ import annotations

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from frontend import gather
from frontend.figure_request import FigureRequest
from frontend.figures.spectrum_scale import SpectrumScale
from frontend.spectrum_lines import SpectrumView, spectrum_figure


def build_spectrum(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw one layer's eigenvalues at one iteration."""
    view = SpectrumView(
        asked.layer,
        asked.iteration,
        asked.criterion,
        asked.chosen_threshold,
        SpectrumScale(asked.y, asked.xs, asked.ys),
        asked.band,
        asked.align,
    )
    runs = gather.figure_runs(gather.runs_of(session, asked.run_ids))
    return spectrum_figure(session, runs, view, asked.theme)
