"""What the browser needs to move one cursor (layer, iteration) through the charts of some runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.models import Run
from frontend.figures.axes import FigureLayer, merged_layers, union_of_iterations
from frontend.figures.colours import colour_class
from frontend.figures.groups import ALL_TAGS, groups, shared_tags
from frontend.gather import figure_runs
from frontend.layer_tree import block_names
from frontend.map_kinds import kind_label, position_note

LIKELY_COUNTERPARTS = 8
"""Of recorded runs, how many are looked at for one of the same layers."""


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
        snapshots.append(measurements.snapshot_iterations(session, run.id))
    merged = merged_layers(layers)
    blocks = block_names([(layer.name, layer.stage) for layer in merged])
    return {
        "runs": [
            {
                "id": run.id,
                "name": run.name,
                "iterations": iterations,
                "total": max([run.iterations or 0, *iterations[-1:]]),
                "live": run.status in ("queued", "running"),
                "colour": colour_class(run.id, drawn.init),
                "dash": drawn.dash,
            }
            for run, drawn, iterations in zip(runs, figure_runs(runs), snapshots, strict=True)
        ],
        "iterations": union_of_iterations(snapshots),
        "bands": _bands(runs),
        "layers": [
            {
                "name": layer.name,
                "stage": layer.stage,
                "block": blocks[layer.name],
                "map": kinds[layer.name],
                "kind": kind_label(kinds[layer.name]),
                "note": position_note(kinds[layer.name]),
                "width": layer.width,
                "runs": holders[layer.name],
            }
            for layer in merged
        ],
    }


def _bands(runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """Return what may be chosen to draw runs together by, and the runs that then become one line."""
    drawn = figure_runs(runs)
    found = {chosen: groups(drawn, chosen) for chosen in (ALL_TAGS, *shared_tags(drawn))}
    return {
        chosen: [
            {
                "name": one.name,
                "runs": [run.id for run in one.members],
                "colour": colour_class(one.id, one.init),
                "dash": one.dash,
            }
            for one in members
        ]
        for chosen, members in found.items()
        if members
    }


def counterpart(session: Session, run: Run) -> int | None:
    """Return the newest run, archived ones aside, that differs in starting from scratch or not, None without any.

    Of a launched run, one on the same data and model; of a recorded one, a recorded one of the same layers.
    """
    init = _init(run)
    if init == "unknown":
        return None
    others = session.scalars(
        select(Run)
        .where(
            Run.origin == run.origin,
            Run.dataset_id.is_not_distinct_from(run.dataset_id),
            Run.id != run.id,
            ~Run.archived,
        )
        .order_by(Run.id.desc())
        .limit(50)
    )
    opposite = [
        other
        for other in others
        if _init(other) != "unknown" and (_init(other) == "scratch") != (init == "scratch")
    ]
    if run.origin == "recorded":
        return _of_same_layers(session, run, opposite[:LIKELY_COUNTERPARTS])
    return next((other.id for other in opposite if _model(other) == _model(run)), None)


def _init(run: Run) -> str:
    return str(run.specification["init"]["kind"])


def _model(run: Run) -> tuple[str, str]:
    model = run.specification["model"]
    return model["architecture"], model["backbone"]


def _of_same_layers(session: Session, run: Run, others: Sequence[Run]) -> int | None:
    def named(one: Run) -> list[str]:
        return [layer.name for layer in measurements.layers(session, one.id)]

    wanted = named(run)
    return next((other.id for other in others if wanted and named(other) == wanted), None)
