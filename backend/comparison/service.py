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
from backend.errors import InvalidInput
from backend.measurements.service import PAPER_CRITERION, criterion_threshold
from backend.models import Run
from backend.spectra.criteria import CRITERIA


def compare(
    session: Session,
    first: Run,
    second: Run,
    criterion: str = PAPER_CRITERION,
    threshold: float | None = None,
) -> Comparison:
    """Return every fact that the two runs' measurements give, dimensions counted by a criterion.

    Raises InvalidInput for a criterion that there is not, one whose number is a slope, or a threshold out of range.
    """
    chosen = criterion_threshold(criterion, threshold)
    if not counts_dimensions(criterion):
        counting = ", ".join(name for name in CRITERIA if counts_dimensions(name))
        raise InvalidInput(
            f"criterion {criterion} is a slope, of which no layer has a share; take one of {counting}"
        )
    runs = (first, second)
    measured = [measured_run(session, run, criterion, chosen) for run in runs]
    one, other = measured
    spectra = compared_spectra(one, other, criterion, chosen) if one and other else None
    narrow = [narrow_layers(run.id, its) for run, its in zip(runs, measured, strict=True) if its]
    specifications = [run.specification for run in runs]
    return Comparison(
        first=_reference(first),
        second=_reference(second),
        criterion=criterion,
        threshold=chosen,
        layers_first=len(one.layers) if one else 0,
        layers_second=len(other.layers) if other else 0,
        settings=parting(specifications),
        recorded=any(map(is_recorded, specifications)),
        accuracy=compared_accuracy(session, first, second),
        spectra=spectra,
        slopes=compared_slopes(session, (first.id, second.id), spectra) if spectra else None,
        narrow=[its for its in narrow if its],
    )


def counts_dimensions(criterion: str) -> bool:
    """Return whether a criterion's number is one of dimensions, which a layer has at most as many of as channels."""
    return CRITERIA[criterion].unit == "dimensions"


def _reference(run: Run) -> RunReference:
    return RunReference(
        id=run.id,
        name=run.name,
        origin=run.origin,
        init=run.specification["init"]["kind"],
        role=role(run),
        status=run.status,
    )
