"""How a run tells the database: in batches, in order, and only while the run is still its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from backend.database import Database
from backend.measurements import repository
from backend.measurements.records import CheckpointRow, LayerRow, PredictionRow, SpectrumRow
from backend.runs import queue
from backend.runs.start import StartReport

FLUSH_SECONDS = 0.5


class RunTakenAway(Exception):
    """The run was deleted, or its lease went to another worker: nothing more may be written about it."""


class Recorder:
    """Collects what a trainer says and writes it every half second, each write in one short transaction.

    `lease_owner` is the worker that claimed the run; None (a run driven by hand) writes unconditionally.
    """

    def __init__(self, database: Database, run_id: int, lease_owner: str | None, home: Path) -> None:
        self._database, self._run_id, self._owner, self._home = database, run_id, lease_owner, home
        self._points: list[tuple[int, str, float]] = []
        self._state: dict[str, Any] = {}
        self._flushed_at = 0.0

    def layers(self, layers: Sequence[LayerRow]) -> None:
        """Write the probed maps, before any spectrum."""
        with self._owned() as session:
            repository.write_layers(session, self._run_id, layers)

    def spectra(self, iteration: int, rows: Sequence[SpectrumRow], seconds: float) -> None:
        """Write one snapshot, whole; it has held up training for so many seconds."""
        with self._owned() as session:
            repository.write_spectra(session, self._run_id, iteration, rows, seconds)

    def metrics(self, iteration: int, values: dict[str, float]) -> None:
        """Note scalars of one iteration."""
        self._points.extend((iteration, name, value) for name, value in values.items())
        self._flush_when_due()

    def progress(self, iteration: int, seconds_per_iteration: float | None) -> None:
        """Note how far the run is."""
        self._state.update(iteration=iteration, seconds_per_iteration=seconds_per_iteration)
        self._flush_when_due()

    def phase(self, phase: str) -> None:
        """Say what the run does now."""
        self._state["phase"] = phase
        self.flush()

    def describe(self, parameters: int, backbone_parameters: int, macs: int, device: str) -> None:
        """Say how large the network is and where it trains."""
        self._state.update(
            parameters=parameters, backbone_parameters=backbone_parameters, macs=macs, device=device
        )
        self.flush()

    def start(self, start: StartReport) -> None:
        """Say what the first weights were, and what trains."""
        self._state["start"] = start.model_dump(mode="json")
        self.flush()

    def result(
        self,
        ap: float | None = None,
        ap50: float | None = None,
        mask_ap: float | None = None,
        top1: float | None = None,
    ) -> None:
        """Say the newest evaluation's result; None where there is none or it is undefined."""
        self._state.update(ap=ap, ap50=ap50, mask_ap=mask_ap, top1=top1)
        self.flush()

    def predictions(self, iteration: int, rows: Sequence[PredictionRow]) -> None:
        """Write what an evaluation found in some images; those of the evaluations long before it are removed."""
        if rows:
            with self._owned() as session:
                repository.write_predictions(session, self._run_id, iteration, rows)

    def checkpoints(self, rows: Sequence[CheckpointRow]) -> None:
        """Say which checkpoints lie whole on disk; what is not named any more is forgotten."""
        self.flush()
        with self._owned() as session:
            repository.write_checkpoints(session, self._run_id, rows, self._home)

    def flush(self) -> None:
        """Write what was noted."""
        points, state = self._points, self._state
        if points or state:
            with self._owned(**state) as session:
                repository.write_metrics(session, self._run_id, points)
            self._points, self._state = [], {}
        self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Write what was noted; the recorder may not be used afterwards."""
        self.flush()

    def _flush_when_due(self) -> None:
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    @contextmanager
    def _owned(self, **state: Any) -> Iterator[Session]:
        with self._database.writing() as session:
            # The same transaction holds the check and the write, so no stale writer slips between.
            if not queue.change(session, queue.owned(self._run_id, self._owner), **state):
                raise RunTakenAway(f"run {self._run_id} was deleted or given to another worker")
            yield session
