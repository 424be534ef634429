"""Width selection in miniature: a source, its plan, and the retraining beside what it is compared with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from backend.datasets import registration
from backend.datasets.shapes import ShapesParameters
from backend.runs.presentation import RunItem
from backend.widths import service
from backend.widths.launching import launch
from backend.widths.result import Result, result
from backend.widths.schemas import LaunchRequest, Plan, WidthRequest
from eigenscope.demo import specifications
from eigenscope.demo.session import train
from eigenscope.instance import Instance
from eigenscope.terminal.output import WORDS
from eigenscope.terminal.waiting import wait_for_runs

SEEDS = (0, 1, 2)
NAME, IMAGES = "shapes for widths", ShapesParameters(val=256)
"""At 128 pixels layer4 has 16 positions an image: 256 images give eight for each of its 512 channels."""


@dataclass(frozen=True, slots=True)
class WidthsOutcome:
    """The runs in order, the plan and what came of it (None where the source failed), and how long all took."""

    runs: list[RunItem]
    plan: Plan | None
    result: Result | None
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether every run was trained to its end, whatever the networks are worth."""
        return self.result is not None and all(run.status == "succeeded" for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "succeeded": self.succeeded,
            "seconds": round(self.seconds, 1),
            "plan": self.plan and self.plan.model_dump(mode="json"),
            "result": self.result and self.result.model_dump(mode="json"),
        }


def carry_out_widths(instance: Instance) -> WidthsOutcome:
    """Generate the data, train the source, choose widths, and retrain them beside baselines and uniform networks."""
    began = time.monotonic()
    WORDS.print("generating the shapes dataset")
    dataset_id = registration.register_shapes(instance.database, instance.settings, NAME, IMAGES).id
    finished = train(instance, [specifications.width_source(dataset_id)])
    if finished[0].status != "succeeded":
        return WidthsOutcome(finished, None, None, time.monotonic() - began)
    with instance.database.writing() as session:
        row = service.store(session, WidthRequest(run_id=finished[0].id))
        request = LaunchRequest(seeds=SEEDS, baseline=True, uniform=True)
        ids = [run.id for run in launch(session, instance.settings, row, request)]
        plan_id, plan = row.id, Plan.model_validate(row.plan)
    for run_id in ids:
        instance.broker.ring(run_id)
    finished += wait_for_runs(instance, ids)
    with instance.database.reading() as session:
        found = result(session, service.get(session, plan_id))
    return WidthsOutcome(finished, plan, found, time.monotonic() - began)
