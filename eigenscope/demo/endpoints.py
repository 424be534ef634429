"""The demo over HTTP: what the button of the first visit does."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from backend.datasets import registration
from backend.errors import Conflict
from backend.http.dependencies import BrokerDep, DatabaseDep, SettingsDep
from backend.runs import demonstration
from backend.runs.demonstration import Demonstration
from eigenscope.demo import launching

router = APIRouter(tags=["runs"])


class DemoRuns(BaseModel):
    """The runs of a demo, by id; I waits for the pre-training."""

    pretraining: int
    pretrained: int
    scratch: int


@router.post("/demo", status_code=201)
def demo(database: DatabaseDep, settings: SettingsDep, broker: BrokerDep) -> DemoRuns:
    """Run the paper in miniature on generated images: queue a pre-training, and a detector with and without it."""
    with database.reading() as session:
        found = demonstration.newest(session)
    if found is not None and found.under_way:
        raise _under_way(found)
    dataset_id = registration.register_shapes(database, settings).id
    with database.writing() as session:
        found, begun = launching.begin(session, settings, dataset_id)
    if not begun:
        raise _under_way(found)
    for run in found.runs:
        broker.ring(run.id)
    return DemoRuns(
        pretraining=found.pretraining.id, pretrained=found.pretrained.id, scratch=found.scratch.id
    )


def _under_way(found: Demonstration) -> Conflict:
    ids = ", ".join(str(run.id) for run in found.runs)
    return Conflict(f"the demo is under way already, as runs {ids}; watch it at /demo")
