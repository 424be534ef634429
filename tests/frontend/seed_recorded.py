"""Plausible recorded runs: no dataset, no model, layers and metrics of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run
from backend.models.base import now

LAYERS = [
    LayerRow(0, "features.conv1", "conv", "features", 32),
    LayerRow(1, "features.block1", "block", "features", 64),
    LayerRow(2, "features.block2", "block", "features", 128),
    LayerRow(3, "roi.fc", "box_head", "roi", 256),
    LayerRow(4, "classifier", "linear", "classifier", 100),
]
SNAPSHOTS = (0, 1, 50, 100, 200, 300)
LARGE = 2.1e5
"""The first eigenvalue of the first layer at iteration 1: as of batch norm's running statistics that lag."""


def seed_recorded(session: Session) -> dict[str, int]:
    """Add two runs that no worker trained; return their ids by role (recorded, recording: it goes on)."""
    recorded = add_recorded(session, "my ConvNet, from somewhere")
    recording = add_recorded(session, "my ConvNet, from scratch", "running", init="scratch", iteration=120)
    return {"recorded": recorded.id, "recording": recording.id}


def add_recorded(
    session: Session, name: str, status: str = "succeeded", init: str = "unknown", **columns: Any
) -> Run:
    """Add a run of unknown length with what it measured up to its iteration."""
    started = now() - timedelta(hours=1)
    values: dict[str, Any] = {
        "iterations": 0,
        "iteration": 300,
        "phase": "recording" if status == "running" else "",
        "started_at": started,
        "finished_at": None if status == "running" else started + timedelta(minutes=4),
    }
    settings = {"lr": 0.1, "augment": True, "batch": 128}
    specification = {"init": {"kind": init}, "settings": settings}
    run = Run(name=name, origin="recorded", status=status, specification=specification, **(values | columns))
    session.add(run)
    session.flush()
    _add_measurements(session, run, init == "scratch")
    return run


def _add_measurements(session: Session, run: Run, scratch: bool) -> None:
    measurements.write_layers(session, run.id, LAYERS)
    for iteration in (i for i in SNAPSHOTS if i <= run.iteration):
        rows = [_spectrum(layer, iteration, scratch) for layer in LAYERS]
        measurements.write_spectra(session, run.id, iteration, rows)
    points = [(i, "loss", 2.3 * float(np.exp(-i / 150)) + 0.2) for i in range(run.iteration + 1)]
    points += [(i, "val/accuracy", 1 - float(np.exp(-i / 90))) for i in range(0, run.iteration + 1, 20)]
    measurements.write_metrics(session, run.id, points)


def _spectrum(layer: LayerRow, iteration: int, scratch: bool) -> SpectrumRow:
    j = np.arange(1, layer.width + 1)
    used = layer.width * (0.1 + 0.4 * (iteration / 300) ** 0.5 if scratch else 0.7)
    values = 5.0 * j**-1.2 * np.exp(-((j / used) ** 3))
    if (layer.order, iteration) == (0, 1):
        values[0] = LARGE
    positions = {"linear": 64, "box_head": 640}.get(layer.map, 64 * 32**2)
    d = int((values > 1e-3).sum())
    return SpectrumRow(layer.order, values, d, float(values.sum()), float(values[0]), 64, positions)
