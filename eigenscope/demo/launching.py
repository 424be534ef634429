"""The demo's runs put into the queue, for the command and for the button alike."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Dataset
from backend.runs import demonstration
from backend.runs import service as runs
from backend.runs.demonstration import Demonstration
from backend.settings import Settings
from eigenscope.demo import specifications


def begin(session: Session, settings: Settings, dataset_id: int) -> tuple[Demonstration, bool]:
    """Return the demo that is under way, or queue one; and whether it was queued now.

    I waits for the pre-training's weights. The caller rings after its commit.
    """
    # Of two who ask at once the second waits for the first at this row, and then finds its runs.
    session.scalars(select(Dataset.id).where(Dataset.id == dataset_id).with_for_update()).one()
    found = demonstration.newest(session)
    if found is not None and found.under_way:
        return found, False
    pretraining = runs.launch(session, settings, specifications.classifier(dataset_id))
    started = runs.launch(session, settings, specifications.pretrained(dataset_id, pretraining.id))
    scratch = runs.launch(session, settings, specifications.scratch(dataset_id))
    return Demonstration(pretraining, started, scratch), True
