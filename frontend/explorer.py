"""What the browser needs to move one cursor (layer, iteration) through the charts of some runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.measurements import service
from backend.models import Run, SpectrumSummary
from frontend.figures.axes import FigureLayer, merged_layers, union_of_iterations

FEW_POSITIONS = 8
"""Positions per channel under which a dimensionality reads low (307 of 512 reads 297 at 8, 266 at 2)."""


def explorer_view(session: Session, runs: Sequence[Run]) -> dict[str, Any]:
    """Return runs, their layers in network order and the iterations at which each has a snapshot."""
    layers: list[list[FigureLayer]] = []
    kinds: dict[str, str] = {}
    holders: dict[str, list[int]] = {}
    snapshots: list[list[int]] = []
    for run in runs:
        found = measurements.layers(session, run.id)
        layers.append([FigureLayer(layer.name, layer.stage, layer.width) for layer in found])
        kinds |= {layer.name: layer.map for layer in found}
        for layer in found:
            holders.setdefault(layer.name, []).append(run.id)
        snapshots.append(_snapshots(session, run.id))
    return {
        "runs": [
            {
                "id": run.id,
                "name": run.name,
                "iterations": iterations,
                "live": run.status in ("queued", "running"),
            }
            for run, iterations in zip(runs, snapshots, strict=True)
        ],
        "iterations": union_of_iterations(snapshots),
        "layers": [
            {
                "name": layer.name,
                "stage": layer.stage,
                "map": kinds[layer.name],
                "width": layer.width,
                "runs": holders[layer.name],
            }
            for layer in merged_layers(layers)
        ],
    }


def _snapshots(session: Session, run_id: int) -> list[int]:
    iteration = SpectrumSummary.iteration
    query = select(iteration).where(SpectrumSummary.run_id == run_id).distinct().order_by(iteration)
    return list(session.scalars(query))


def undercount_warning(session: Session, run: Run) -> str | None:
    """Return a sentence if some layer had too few positions per channel for its dimensionality to be exact."""
    found = service.dimensions(session, run.id)
    few = [
        (ratio, name)
        for name, ratio in zip(found.layers, found.positions_per_channel, strict=True)
        if ratio is not None and ratio < FEW_POSITIONS
    ]
    if not few:
        return None
    ratio, name = min(few)
    others = f" and {len(few) - 1} more layers" if len(few) > 1 else ""
    return (
        f"{name}{others} saw fewer than {FEW_POSITIONS} positions per channel ({ratio:.1f} at least), so "
        "dimensionality reads low there; use more probe images or larger ones."
    )


def counterpart(session: Session, run: Run) -> int | None:
    """Return the newest run on the same data and model that started from the other kind of weights."""
    scratch = run.specification["init"]["kind"] == "scratch"
    others = session.scalars(
        select(Run)
        .where(Run.dataset_id == run.dataset_id, Run.id != run.id)
        .order_by(Run.id.desc())
        .limit(50)
    )
    for other in others:
        same = all(
            other.specification["model"][field] == run.specification["model"][field]
            for field in ("architecture", "backbone")
        )
        if same and (other.specification["init"]["kind"] == "scratch") != scratch:
            return other.id
    return None
