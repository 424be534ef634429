"""Which of a run's checkpoints stay on disk, and why: the last, the best, and one at each snapshot of the spectra.

The last holds all that resuming needs. What is kept beside it are weights alone, half as large or less: another run
can start from them, and from the last a run goes on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.measurements.records import CheckpointRow
from worker.recorder import Recorder
from worker.training import checkpoints

_log = logging.getLogger(__name__)

LAST, BEST, SNAPSHOT = "last", "best", "snapshot"
SCORES = ("mask_ap", "ap", "top1")
"""What an evaluation is judged by: the first of these that it gives."""
GIGABYTE = 1e9
"""The unit of `checkpoint_budget`."""
MEBIBYTE = 2**20


class Saver:
    """Writes a run's checkpoints, keeps those that are wanted within a budget, and says so.

    A file is removed only after a newer one is whole on disk and the database no longer names it: none is while the
    database is away. `budget` is in
    bytes: beyond, the oldest snapshots go first, then the best, never the last. `kept` is what a run that goes on
    had already.
    """

    def __init__(
        self,
        folder: Path,
        recorder: Recorder,
        wanted: Iterable[str],
        budget: float,
        kept: Sequence[CheckpointRow] = (),
    ) -> None:
        self._folder, self._recorder, self._budget = folder, recorder, budget
        self._keeps_best, self._keeps_snapshots = "best" in wanted, "snapshots" in wanted
        self._last = next((row.iteration for row in kept if LAST in row.kept_as), None)
        # What lies after the last will be made again: the run goes on from the last, or from its beginning.
        reached = -1 if self._last is None else self._last
        self._reasons = {row.iteration: set(row.kept_as) - {LAST} for row in kept if row.iteration <= reached}
        self.best: float | None = None
        """The best score so far."""

    def snapshot(self, iteration: int, weights: Mapping[str, Any]) -> None:
        """Keep the weights that a snapshot of the spectra was taken of, if wanted."""
        if self._keeps_snapshots:
            self._keep(iteration, SNAPSHOT, weights)

    def judge(self, iteration: int, result: Mapping[str, float], weights: Mapping[str, Any]) -> None:
        """Keep the weights of an evaluation that is better than all before it, if wanted."""
        score = next((result[name] for name in SCORES if name in result), math.nan)
        if not self._keeps_best or math.isnan(score) or (self.best is not None and score <= self.best):
            return
        self._keep(iteration, BEST, weights)
        self.best = score

    @property
    def follows_evaluations(self) -> bool:
        """Whether the last is to be saved after each evaluation, so that a run never goes on from before its best."""
        return self._keeps_best

    def save(self, iteration: int, state: Mapping[str, Any]) -> None:
        """Write the run's last checkpoint, in place of the one before."""
        path = checkpoints.path_of(self._folder, iteration)
        checkpoints.save(path, state)
        self._last = iteration
        self._settle()
        _log.info("iteration %d: saved %s, %.1f MiB", iteration, path.name, path.stat().st_size / MEBIBYTE)

    def _keep(self, iteration: int, why: str, weights: Mapping[str, Any]) -> None:
        path = checkpoints.weights_path_of(self._folder, iteration)
        if not self._reasons.get(iteration):
            checkpoints.save(path, weights)
        if why == BEST:
            for reasons in self._reasons.values():
                reasons.discard(BEST)
        self._reasons.setdefault(iteration, set()).add(why)
        _log.info(
            "iteration %d: kept %s (%s), %.1f MiB", iteration, path.name, why, path.stat().st_size / MEBIBYTE
        )
        self._settle()

    def _settle(self) -> None:
        """Drop what exceeds the budget, tell the database what there is, and only then remove files."""
        self._reasons = {iteration: reasons for iteration, reasons in self._reasons.items() if reasons}
        self._respect_budget()
        rows = self._rows()
        if self._recorder.checkpoints(rows):
            checkpoints.remove_others(self._folder, [file for row in rows for file in files_of(row)])

    def _respect_budget(self) -> None:
        taken = sum(row.bytes for row in self._rows())
        for iteration in self._dispensable():
            if taken <= self._budget:
                return
            path = checkpoints.weights_path_of(self._folder, iteration)
            _log.warning(
                "checkpoints take %.3g GB, more than checkpoint_budget (%g GB): removing that of iteration %d (%s)",
                taken / GIGABYTE,
                self._budget / GIGABYTE,
                iteration,
                ", ".join(sorted(self._reasons.pop(iteration))),
            )
            taken -= path.stat().st_size
        if taken > self._budget:
            _log.warning(
                "the last checkpoint alone takes %.3g GB, more than checkpoint_budget (%g GB)",
                taken / GIGABYTE,
                self._budget / GIGABYTE,
            )

    def _dispensable(self) -> list[int]:
        """Return the iterations of what may go, in that order."""
        return sorted(self._reasons, key=lambda iteration: (BEST in self._reasons[iteration], iteration))

    def _rows(self) -> list[CheckpointRow]:
        last = [] if self._last is None else [self._last]
        return [self._row(iteration) for iteration in sorted({*self._reasons, *last})]

    def _row(self, iteration: int) -> CheckpointRow:
        is_last = iteration == self._last
        reasons = self._reasons.get(iteration, set())
        kept_as = tuple(why for why in (LAST, BEST, SNAPSHOT) if why in reasons or (why == LAST and is_last))
        path_of = checkpoints.path_of if is_last else checkpoints.weights_path_of
        row = CheckpointRow(iteration, path_of(self._folder, iteration), 0, kept_as)
        return row._replace(bytes=sum(file.stat().st_size for file in files_of(row)))


def files_of(row: CheckpointRow) -> list[Path]:
    """Return the files of a checkpoint: the last that is kept for another reason too has its weights beside it.

    So they need not be written again when it is the last no more.
    """
    if row.kept_as == (LAST,) or LAST not in row.kept_as:
        return [row.file]
    return [row.file, checkpoints.weights_path_of(row.file.parent, row.iteration)]
