"""Two runs compared in numbers."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.comparison.accuracy import compared_accuracy
from backend.comparison.measured import measured_run
from backend.comparison.pair import role
from backend.comparison.schemas import Comparison, RunReference
from backend.comparison.settings import is_recorded, parting
from backend.comparison.slopes import compared_slopes
from backend.comparison.spectra import compared_spectra, narrow_layers
from backend.models import Run


def compare(session: Session, first: Run, second: Run) -> Comparison:
    """Return every fact that the two runs' measurements give."""
    runs = (first, second)
    measured = [measured_run(session, run) for run in runs]
    one, other = measured
    spectra = compared_spectra(one, other) if one and other else None
    narrow = [narrow_layers(run.id, its) for run, its in zip(runs, measured, strict=True) if its]
    specifications = [run.specification for run in runs]
    return Comparison(
        first=_reference(first),
        second=_reference(second),
        layers_first=len(one.layers) if one else 0,
        layers_second=len(other.layers) if other else 0,
        settings=parting(specifications),
        recorded=any(map(is_recorded, specifications)),
        accuracy=compared_accuracy(session, first, second),
        spectra=spectra,
        slopes=compared_slopes(session, (first.id, second.id), spectra) if spectra else None,
        narrow=[its for its in narrow if its],
    )


def _reference(run: Run) -> RunReference:
    return RunReference(
        id=run.id,
        name=run.name,
        origin=run.origin,
        init=run.specification["init"]["kind"],
        role=role(run),
        status=run.status,
    )
