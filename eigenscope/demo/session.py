"""Carries the demo out on an instance whose worker runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from backend.datasets import registration
from backend.runs import service as runs
from backend.runs.presentation import RunItem
from backend.runs.specification import RunSpecification
from eigenscope.demo import launching
from eigenscope.instance import Instance
from eigenscope.terminal.output import WORDS
from eigenscope.terminal.waiting import wait_for_runs


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo trained, in order, and how long it took from the first word to the last."""

    runs: list[RunItem]
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether all three runs were trained, and to their end."""
        return len(self.runs) == 3 and all(run.status == "succeeded" for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "succeeded": self.succeeded,
            "seconds": round(self.seconds, 1),
            "runs": [
                {
                    "id": run.id,
                    "name": run.name,
                    "status": run.status,
                    "error": run.error,
                    "device": run.device,
                    "ap": run.summary.ap,
                    "ap50": run.summary.ap50,
                    "top1": run.summary.top1,
                    "parameters": run.summary.parameters,
                    "snapshots": run.summary.snapshots,
                    "layers": run.summary.layers,
                    "seconds": seconds_of(run),
                }
                for run in self.runs
            ],
        }


def seconds_of(run: RunItem) -> float | None:
    """Return how long a run took."""
    if run.started_at is None or run.finished_at is None:
        return None
    return round((run.finished_at - run.started_at).total_seconds(), 1)


def carry_out(instance: Instance) -> Outcome:
    """Generate the data, pre-train, then train I and S; go on with a demo that is under way already."""
    began = time.monotonic()
    WORDS.print("generating the shapes dataset")
    dataset_id = registration.register_shapes(instance.database, instance.settings).id
    with instance.database.writing() as session:
        found, begun = launching.begin(session, instance.settings, dataset_id)
        ids = [run.id for run in found.runs]
    if not begun:
        WORDS.print(f"going on with the demo that was begun before, runs {', '.join(map(str, ids))}")
    return Outcome(_finished(instance, ids), time.monotonic() - began)


def train(instance: Instance, wanted: list[RunSpecification]) -> list[RunItem]:
    """Launch runs and return them once all have ended."""
    with instance.database.writing() as session:
        ids = [runs.launch(session, instance.settings, specification).id for specification in wanted]
    return _finished(instance, ids)


def _finished(instance: Instance, ids: list[int]) -> list[RunItem]:
    for run_id in ids:
        instance.broker.ring(run_id)
    return wait_for_runs(instance, ids)
