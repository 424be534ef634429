"""Why a figure has nothing to draw, in a sentence that a page shows in its place."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements import repository
from backend.models import Run, SpectrumSummary
from backend.runs.waiting import waited_for
from frontend import gather
from frontend.figure_request import FigureRequest
from frontend.settings_table import is_recorded

WAITING = ("queued", "running")


def is_empty(figure: go.Figure) -> bool:
    """Whether nothing is drawn, not even one point."""
    return all(trace.x is None or len(trace.x) == 0 for trace in figure.data)


def explained(session: Session, asked: FigureRequest, figure: go.Figure, reason: str) -> go.Figure:
    """Return the figure with the reason for its emptiness, its own before `reason`; of queued runs, that they wait."""
    told = {"empty": reason, **figure.layout.meta}
    runs = gather.runs_of(session, asked.run_ids)
    if runs and all(run.status == "queued" for run in runs):
        told["empty"] = f"Waits for {_awaited(session, runs)}. {told['empty']}"
    figure.layout.meta = told
    return figure


def _awaited(session: Session, runs: Sequence[Run]) -> str:
    waits = waited_for(session, runs)
    source, *others = {waits.get(run.id) for run in runs}
    return "a worker" if source is None or others else f"run {source}"


def no_spectra(session: Session, asked: FigureRequest) -> str:
    """Say why there is no dimensionality or spectrum."""
    runs = gather.runs_of(session, asked.run_ids)
    if not runs:
        return "No run is chosen."
    measured = [run for run in runs if _has_snapshot(session, run)]
    if not measured:
        return _nothing_yet(runs, "no spectra", "its first snapshot")
    if asked.layer and not any(_has_layer(session, run, asked.layer) for run in runs):
        return f"{'This run has no' if len(runs) == 1 else 'None of these runs has a'} layer '{asked.layer}'."
    return "None of the snapshots is of this layer." if asked.layer else "No snapshot is at this iteration."


def no_difference(session: Session, asked: FigureRequest) -> str:
    """Say why two runs have no difference."""
    runs = gather.runs_of(session, asked.run_ids)
    bare = [run for run in runs if not _has_snapshot(session, run)]
    if bare:
        return _nothing_yet(bare, "no spectra", "its first snapshot")
    names = [{layer.name for layer in repository.layers(session, run.id)} for run in runs]
    if not names[0] & names[1]:
        return "These runs have no layer of the same name."
    if asked.align == "iteration":
        return "These runs have no snapshot at the same iteration; align them by progress."
    return "These runs have no snapshots at the same share of their training."


def no_metric(session: Session, asked: FigureRequest) -> str:
    """Say why there are no scalars."""
    runs = gather.runs_of(session, asked.run_ids)
    return _nothing_yet(runs, "nothing of this", "its first number") if runs else "No run is chosen."


def no_accuracy(session: Session, asked: FigureRequest) -> str:
    """Say when the first evaluation comes."""
    runs = gather.runs_of(session, asked.run_ids)
    if len(runs) != 1 or is_recorded(runs[0].specification):
        return no_metric(session, asked)
    (run,) = runs
    if run.status not in WAITING:
        return "It ended before its first evaluation."
    every, last = run.specification["evaluate_every"], run.specification["training"]["iterations"]
    return f"The first evaluation comes at iteration {min(every or last, last):,}."


def _nothing_yet(runs: Sequence[Run], what: str, first: str) -> str:
    one = len(runs) == 1
    if any(run.status in WAITING for run in runs):
        which = "This run has" if one else "These runs have"
        return f"{which} recorded {what} yet; the figure fills with {first if one else 'the first'}."
    return f"{'This run' if one else 'These runs'} recorded {what}."


def _has_snapshot(session: Session, run: Run) -> bool:
    query = select(SpectrumSummary.run_id).where(SpectrumSummary.run_id == run.id).limit(1)
    return session.scalar(query) is not None


def _has_layer(session: Session, run: Run, name: str) -> bool:
    return any(layer.name == name for layer in repository.layers(session, run.id))
