"""The figure of one layer's eigenspectra."""

from __future__ import annotations

from typing import cast

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.measurements import repository
from backend.measurements.service import PAPER_CRITERION, layer_spectra
from backend.spectra.criteria import Criterion, dimensionality
from backend.spectra.fit import fitted_power_law
from frontend import gather
from frontend.figure_request import FigureRequest
from frontend.figures.runs import FigureRun
from frontend.figures.spectrum import SpectrumLine, spectrum


def build_spectrum(session: Session, asked: FigureRequest) -> go.Figure:
    """Draw one layer's eigenvalues at one iteration."""
    threshold = asked.chosen_threshold
    lines, lowest, highest = [], np.inf, 0.0
    for run in gather.figure_runs(gather.runs_of(session, asked.run_ids)):
        if not _has_layer(session, run, asked.layer):
            continue
        found = layer_spectra(session, run.id, asked.layer)
        at = gather.last_at(found.iterations.tolist(), asked.iteration)
        if at is None:
            continue
        values = found.eigenvalues[at]
        d = float(dimensionality(values, cast(Criterion, asked.criterion), threshold))
        is_slope = not asked.quantity.of_width
        fit = fitted_power_law(values, threshold) if is_slope else None
        lines.append(SpectrumLine(run, int(found.iterations[at]), values, d, fit, is_slope))
        positive = found.eigenvalues[found.eigenvalues > 0]
        lowest = min(lowest, float(positive.min(initial=np.inf)))
        highest = max(highest, float(positive.max(initial=0.0)))
    span = (lowest, highest) if highest > 0 else (1e-6, 1.0)
    level = threshold if asked.criterion == PAPER_CRITERION else None
    return spectrum(asked.layer, lines, level, span, asked.theme)


def _has_layer(session: Session, run: FigureRun, layer: str) -> bool:
    return any(one.name == layer for one in repository.layers(session, run.id))
