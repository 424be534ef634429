"""Which runs widths can be chosen from."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from backend.architectures.widths import standard_widths
from backend.models import Run, SpectrumSummary, WidthPlanRun
from backend.runs.specification import RunSpecification
from backend.widths.groups import HEADS

SOURCES_AT_MOST = 500


def sources(session: Session) -> list[Run]:
    """Return launched runs with spectra, newest first, without those put aside."""
    return list(session.scalars(_measured().where(~Run.archived).limit(SOURCES_AT_MOST)))


def first_choice(session: Session, choices: Sequence[Run]) -> int | None:
    """Return the newest of the runs that succeeded and that no width plan launched: those are narrowed already."""
    planned = set(session.scalars(select(WidthPlanRun.run_id)))
    trained = [one.id for one in choices if one.status == "succeeded"]
    return next((one for one in trained if one not in planned), next(iter(trained), None))


def of_the_same_network(session: Session, run: Run, named: Sequence[str] = ()) -> list[Run]:
    """Return the other runs whose dimensionalities can be averaged with this one's, of those put aside the named."""
    shown = ~Run.archived | Run.id.in_([int(one) for one in named if _is_id(one)])
    others = session.scalars(_measured().where(Run.id != run.id, shown).limit(SOURCES_AT_MOST))
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


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
