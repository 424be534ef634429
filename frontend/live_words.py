"""How far a figure's runs have come while they still train: shown beside its title."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from backend.models import Run


def tell_how_far(figure: go.Figure, runs: Sequence[Run]) -> go.Figure:
    """Write into the figure's `meta` what part of its runs it shows."""
    figure.layout.meta = {**figure.layout.meta, "live": how_far(runs)}
    return figure


def how_far(runs: Sequence[Run]) -> str:
    """Return `120 of 200 iterations` of the one run that trains, or how many of several do; empty where none does."""
    live = [run for run in runs if run.status == "running"]
    if not live:
        return ""
    if len(live) > 1:
        return f"{len(live)} runs train"
    (run,) = live
    done = f"{run.iteration:,} of {run.iterations:,}" if run.iterations else f"{run.iteration:,}"
    return f"{done} iterations"
