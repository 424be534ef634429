"""How a run tells the database: in batches, in order, and only while the run is still its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.database import Database
from backend.measurements.records import CheckpointRow, LayerRow, PredictionRow, SpectrumRow
from backend.runs.start import StartReport
from worker import handover
from worker.courier import Courier
from worker.delivery import Delivery, RunTakenAway
from worker.entries import Checkpoints, Entry, Layers, Noted, Predictions, Spectra

__all__ = ["Recorder", "RunTakenAway"]

FLUSH_SECONDS = 0.5


class Recorder:
    """Collects what a trainer says and writes it every half second, each write in one short transaction.

    `lease_owner` is the worker that claimed the run; None (a run driven by hand) writes unconditionally. Where it was
    told to `keep_journal`, a database that does not answer holds nothing up: what is said goes to a journal on disk,
    in its order, and is delivered when the database is back. Without, its errors are raised. For one thread.
    """

    def __init__(self, database: Database, run_id: int, lease_owner: str | None, home: Path) -> None:
        self._database, self._run_id = database, run_id
        self._delivery = Delivery(database, run_id, lease_owner, home)
        self._courier: Courier | None = None
        self._points: list[tuple[int, str, float]] = []
        self._state: dict[str, Any] = {}
        self._flushed_at = 0.0

    def keep_journal(self, folder: Path, limit: float, should_stop: Callable[[], bool]) -> None:
        """Deliver what earlier trainers left in `folder`, then keep a journal there of at most `limit` bytes.

        Waits for the database. Raises `RunTakenAway`, and `StopRequested` when asked to stop meanwhile.
        """
        journal = handover.take_over(self._database, self._run_id, folder, self._delivery, should_stop)
        self._courier = Courier(self._delivery, journal, limit, should_stop)

    @property
    def was_away(self) -> bool:
        """Whether the database has been away since the journal is kept."""
        return self._courier is not None and self._courier.was_away

    def layers(self, layers: Sequence[LayerRow]) -> None:
        """Write the probed maps, before any spectrum."""
        self._send(Layers(layers))

    def spectra(self, iteration: int, rows: Sequence[SpectrumRow], seconds: float | None = None) -> None:
        """Write one snapshot, whole; it has held up training for so many seconds."""
        self._send(Spectra(iteration, rows, seconds))

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
            self._send(Predictions(iteration, rows))

    def checkpoints(self, rows: Sequence[CheckpointRow]) -> bool:
        """Say which checkpoints lie whole on disk; what is not named any more is forgotten.

        Return whether the database knows: until it does, it may still name others, whose files must stay.
        """
        self.flush()
        return self._send(Checkpoints(rows))

    def flush(self) -> None:
        """Write what was noted."""
        points, state = self._points, self._state
        if points or state:
            self._send(Noted(points, state))
            self._points, self._state = [], {}
        self._flushed_at = time.monotonic()

    def close(self) -> bool:
        """Write what was noted and return whether the database has all of it, for which it waits.

        Not long where the run is to stop: the rest then stays in the journal. The recorder may not be used afterwards.
        """
        try:
            self.flush()
        finally:
            delivered = self._courier.close() if self._courier else True
        return delivered

    def _flush_when_due(self) -> None:
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def _send(self, entry: Entry) -> bool:
        if self._courier is not None:
            return self._courier.send(entry)
        self._delivery.write(entry)
        return True
