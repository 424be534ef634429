"""How far a figure's runs have come while they still train: shown beside its title."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from backend.models import Run


def tell_how_far(figure: go.Figure, runs: Sequence[Run]) -> go.Figure:
    """Write into the figure's `meta` what part of its runs it shows, and what to say where there is nothing yet."""
    told = {"empty": why_empty(runs), **figure.layout.meta, "live": how_far(runs)}
    if runs and all(run.status == "queued" for run in runs):
        # What the figure itself says of its emptiness holds as well, such as when the first evaluation comes.
        own = dict(figure.layout.meta).get("empty", "")
        told["empty"] = f"{why_empty(runs)} {own}".strip()
    figure.layout.meta = told
    return figure


def why_empty(runs: Sequence[Run]) -> str:
    """Return why a figure of these runs may be empty."""
    statuses = {run.status for run in runs}
    if "running" in statuses:
        return "Nothing measured yet; this fills as the run trains."
    return "Waits for a worker." if "queued" in statuses else "Nothing was measured."


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
