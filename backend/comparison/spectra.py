"""What two runs' dimensionalities say together: pure, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.comparison.measured import MeasuredRun
from backend.comparison.schemas import LayerPair, Narrow, RunCourse, Spectra, StagePair
from backend.models import Layer
from backend.spectra.dynamics import Floats, apart, course, last_not_after, moved, settled_at
from backend.spectra.positions import FEW_POSITIONS

TOLERANCE: Final = 0.02
"""A mean that stays within 2 points of its end has settled; less is no movement."""
RANK_LIMITED: Final = frozenset({"conv", "norm"})
"""Kinds of map that may lack rank by construction, and so tell nothing of the width that a layer needs."""


def compared_spectra(
    first: MeasuredRun, second: MeasuredRun, criterion: str, threshold: float | None
) -> Spectra | None:
    """Compare the layers that both runs have, up to the progress that both have reached.

    None where no layer of one name was measured at the first snapshot of both.
    """
    runs = (first, second)
    rows = _common(first, second)
    if not len(rows[0]):
        return None
    progress = min(float(run.progress[-1]) for run in runs)
    ends = [_at(run, progress) for run in runs]
    shares = tuple(run.shares[its, : end + 1] for run, its, end in zip(runs, rows, ends, strict=True))
    few = (first.positions_per_channel[rows[0]] < FEW_POSITIONS) | (
        second.positions_per_channel[rows[1]] < FEW_POSITIONS
    )
    layers = [first.layers[k] for k in rows[0]]
    gaps = apart(*_aligned(runs, shares))
    courses = [_course(run, its, one) for run, its, one in zip(runs, rows, shares, strict=True)]
    return Spectra(
        criterion=criterion,
        threshold=threshold,
        common_layers=len(layers),
        few_positions=int(few.sum()),
        ended=progress >= 1 and not (first.live or second.live),
        progress=progress,
        first=courses[0],
        second=courses[1],
        apart_at_start=float(apart(shares[0][:, :1], shares[1][:, :1])[0]),
        apart_at_end=float(apart(shares[0][:, -1:], shares[1][:, -1:])[0]),
        apart_most=float(gaps.max()),
        start_layer=_farthest(layers, shares[0][:, 0], shares[1][:, 0], few),
        end_layer=_farthest(layers, shares[0][:, -1], shares[1][:, -1], few),
        stages=by_stage([layer.stage for layer in layers], shares[0][:, -1], shares[1][:, -1]),
    )


def _common(first: MeasuredRun, second: MeasuredRun) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return each run's rows of the layers that both have from their first snapshot on, in the first's order."""
    other = second.row
    pairs = [
        (k, other[layer.name])
        for k, layer in enumerate(first.layers)
        if layer.name in other
        and np.isfinite(first.shares[k, 0])
        and np.isfinite(second.shares[other[layer.name], 0])
    ]
    found = np.array(pairs, np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _at(run: MeasuredRun, progress: float) -> int:
    # Half an iteration of grace: a share of the training need not be a whole number of iterations.
    return int(last_not_after(run.iterations, np.array([progress * run.length + 0.5]))[0])


def _aligned(runs: tuple[MeasuredRun, MeasuredRun], shares: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """Return both runs' shares at every progress at which one of them was measured."""
    progress = [run.progress[: one.shape[1]] for run, one in zip(runs, shares, strict=True)]
    points = np.union1d(*progress)
    first, second = (one[:, last_not_after(at, points)] for at, one in zip(progress, shares, strict=True))
    return first, second


def _course(run: MeasuredRun, rows: NDArray[np.intp], shares: Floats) -> RunCourse:
    mean = shares.mean(axis=0)
    found = course(mean, TOLERANCE)
    distances = moved(shares)
    unresolved = run.unresolved[rows, : shares.shape[1]]
    until = np.flatnonzero(unresolved.any(axis=0))
    return RunCourse(
        start_iteration=int(run.iterations[0]),
        end_iteration=int(run.iterations[shares.shape[1] - 1]),
        length=int(run.length),
        live=run.live,
        snapshots=shares.shape[1],
        start=float(mean[0]),
        end=float(mean[-1]),
        kind=found.kind,
        turn_iteration=None if found.turn is None else int(run.iterations[found.turn]),
        turn=None if found.turn is None else float(mean[found.turn]),
        settled_iteration=int(run.iterations[settled_at(mean, TOLERANCE)]),
        moved=float(distances.mean()),
        moved_most=run.layers[rows[int(distances.argmax())]].name,
        unresolved_layers=int(unresolved.any(axis=1).sum()),
        unresolved_until=int(run.iterations[until[-1]]) if until.size else None,
    )


def _farthest(layers: list[Layer], first: Floats, second: Floats, few: NDArray[np.bool_]) -> LayerPair:
    """Return the layer with the largest difference, one of enough positions where there is any."""
    gap = np.abs(first - second)
    k = int(np.where(few, -1.0, gap).argmax()) if not few.all() else int(gap.argmax())
    return LayerPair(
        layer=layers[k].name,
        stage=layers[k].stage,
        first=float(first[k]),
        second=float(second[k]),
        few_positions=bool(few[k]),
    )


def by_stage(stages: Sequence[str], first: Floats, second: Floats) -> list[StagePair]:
    """Return the means of both runs' values, one a layer, over the layers of each stage."""
    rows: dict[str, list[int]] = {}
    for k, stage in enumerate(stages):
        rows.setdefault(stage, []).append(k)
    return [
        StagePair(
            stage=stage, layers=len(its), first=float(first[its].mean()), second=float(second[its].mean())
        )
        for stage, its in rows.items()
    ]


def narrow_layers(run_id: int, run: MeasuredRun) -> Narrow | None:
    """Return which layers of a run use few of their channels at its last snapshot; None where none can be judged."""
    last = run.shares[:, -1]
    judged = [
        k
        for k, layer in enumerate(run.layers)
        if layer.map not in RANK_LIMITED
        and np.isfinite(last[k])
        and run.positions_per_channel[k] >= FEW_POSITIONS
    ]
    if not judged:
        return None
    least = min(judged, key=lambda k: last[k])
    width = run.layers[least].width
    return Narrow(
        run_id=run_id,
        iteration=int(run.iterations[-1]),
        layers=len(judged),
        below_half=int((last[judged] < 0.5).sum()),
        least_layer=run.layers[least].name,
        least_dimensionality=round(float(last[least]) * width),
        least_width=width,
    )
