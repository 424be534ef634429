"""Which runs widths can be chosen from."""

from __future__ import annotations

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from backend.architectures.widths import standard_widths
from backend.models import Run, SpectrumSummary
from backend.runs.specification import RunSpecification
from backend.widths.groups import HEADS

SOURCES_AT_MOST = 500


def sources(session: Session) -> list[Run]:
    """Return launched runs with spectra, newest first."""
    return list(session.scalars(_measured().limit(SOURCES_AT_MOST)))


def of_the_same_network(session: Session, run: Run) -> list[Run]:
    """Return the other runs whose dimensionalities can be averaged with this one's."""
    others = session.scalars(_measured().where(Run.id != run.id).limit(SOURCES_AT_MOST))
    return [one for one in others if one.specification["model"] == run.specification["model"]]


def logged(session: Session, run: Run) -> list[int]:
    """Return the iterations at which the run has spectra, rising."""
    # Every snapshot holds every layer, so the first layer's rows are the snapshots.
    s = SpectrumSummary
    return list(
        session.scalars(
            select(s.iteration).where(s.run_id == run.id, s.layer == 0).order_by(s.iteration)
        ).all()
    )


def optional_groups(run: Run) -> list[str]:
    """Return the groups that a plan of this run may set beside the residual network's."""
    model = RunSpecification.model_validate(run.specification).model
    return [group for group in standard_widths(model.architecture, model.backbone) if group in HEADS]


def _measured() -> Select[Run]:
    has_spectra = exists().where(SpectrumSummary.run_id == Run.id)
    return select(Run).where(Run.origin == "launched", has_spectra).order_by(Run.id.desc())
