"""One writer of a load: claims a run and writes about it as its worker and its trainer would, without training."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from backend.database import Database
from backend.measurements.records import SpectrumRow
from backend.runs import queue
from backend.runs import repository as runs
from backend.settings import Settings
from backend.system import repository as system
from benchmarks.dashboard.seeding import layer_rows, spectrum_rows
from worker.recorder import Recorder

ITERATIONS_PER_SECOND = 4
"""A ResNet-50 detector on one GPU."""
SNAPSHOT_EVERY = 20
"""Iterations: five seconds, far more often than the default."""
LOG_EVERY = 4
RENEW_SECONDS = 5.0
METRICS = (
    "loss",
    "loss_classifier",
    "loss_box_reg",
    "loss_objectness",
    "loss_rpn_box_reg",
    "lr",
    "data_wait",
    "wall_seconds",
    "gpu_memory",
)
PREPARED = 8
"""Snapshots that are written again and again."""


@dataclass(frozen=True)
class WriterAsked:
    """What a writer is to do."""

    number: int
    database_url: str
    home: str
    seconds: float
    layers: int


@dataclass
class WriterReport:
    """What it did: when (as `time.time` says) each snapshot was committed, and how long each write took in seconds."""

    number: int
    run_id: int = 0
    committed: list[tuple[int, float]] = field(default_factory=list)
    snapshot_writes: list[float] = field(default_factory=list)
    other_writes: list[float] = field(default_factory=list)
    iterations: int = 0
    due: int = 0
    """Iterations that there was time for."""
    was_away: bool = False
    """Whether the database once did not take what was written."""


class Writer:
    """Writes about one run until its time is over."""

    def __init__(self, asked: WriterAsked) -> None:
        self._asked = asked
        self._settings = Settings(home=Path(asked.home), database_url=asked.database_url, _env_file=None)
        self._database = Database(asked.database_url)
        self._name = f"drill:{asked.number}:{time.time_ns()}"
        self._layers = layer_rows(asked.layers)
        self._snapshots = prepared(asked.number, asked.layers)
        self._renewed_at = 0.0
        self.report = WriterReport(asked.number)

    def write(self) -> WriterReport:
        """Write until the time is over, then finish the run."""
        run_id = self._claim()
        self.report.run_id = run_id
        recorder = Recorder(self._database, run_id, self._name, self._settings.home)
        recorder.keep_journal(
            self._settings.run_folder(run_id), self._settings.journal_megabytes * 1e6, lambda: False
        )
        recorder.layers(self._layers)
        recorder.phase("training")
        began = time.monotonic()
        while (now := time.monotonic()) < began + self._asked.seconds:
            self._one_iteration(recorder, run_id, self.report.iterations, now - began)
            self.report.iterations += 1
            time.sleep(max(0.0, began + self.report.iterations / ITERATIONS_PER_SECOND - time.monotonic()))
        self.report.due = int(self._asked.seconds * ITERATIONS_PER_SECOND)
        delivered = recorder.close()
        self.report.was_away = recorder.was_away or not delivered
        with self._database.writing() as session:
            queue.finish(session, run_id, self._name, "succeeded")
            system.remove(session, self._name)
        self._database.dispose()
        return self.report

    def _claim(self) -> int:
        with self._database.writing() as session:
            run_id = queue.claim_next(session, self._name, self._settings.lease_seconds, gpus=1)
        if run_id is None:
            raise RuntimeError("there is no queued run for this writer")
        return run_id

    def _one_iteration(self, recorder: Recorder, run_id: int, iteration: int, seconds: float) -> None:
        if iteration % SNAPSHOT_EVERY == 0:
            rows = self._snapshots[(iteration // SNAPSHOT_EVERY) % PREPARED]
            began = time.perf_counter()
            recorder.spectra(iteration, rows, 0.4)
            self.report.snapshot_writes.append(time.perf_counter() - began)
            self.report.committed.append((iteration, time.time()))
        began = time.perf_counter()
        recorder.metrics(iteration, dict.fromkeys(METRICS, 1.0 / (1 + iteration)) | {"wall_seconds": seconds})
        recorder.progress(iteration, 1 / ITERATIONS_PER_SECOND)
        if iteration % LOG_EVERY == 0:
            self._log(run_id, f"iteration {iteration}: loss {1.0 / (1 + iteration):.4f}")
        if time.monotonic() - self._renewed_at > RENEW_SECONDS:
            self._renew(run_id)
        self.report.other_writes.append(time.perf_counter() - began)

    def _log(self, run_id: int, line: str) -> None:
        with self._database.writing() as session:
            runs.append_log(session, run_id, [line])

    def _renew(self, run_id: int) -> None:
        self._renewed_at = time.monotonic()
        with self._database.writing() as session:
            system.say_alive(session, self._name, "drill", [{"name": "card", "memory_bytes": 2**33}], run_id)
            if not queue.renew(session, run_id, self._name, self._settings.lease_seconds):
                raise RuntimeError(f"run {run_id} was taken from its writer")


def prepared(seed: int, layers: int) -> list[list[SpectrumRow]]:
    """Return a few snapshots of as many layers, of a real detector's widths."""
    return spectrum_rows(seed, layers, PREPARED)


def main(arguments: Sequence[str]) -> int:
    """Write as the JSON of the first argument asks; leave the report where the second says."""
    report = Writer(WriterAsked(**json.loads(arguments[0]))).write()
    Path(arguments[1]).write_text(json.dumps(asdict(report)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
