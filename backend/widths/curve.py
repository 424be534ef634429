"""A plan's sizes as its threshold moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.measurements.service import criterion_threshold
from backend.spectra.criteria import CRITERIA, CriterionInfo
from backend.widths import service
from backend.widths.schemas import WidthRequest

POINTS = 25
DECADES = 2.0
"""To either side of a criterion's own threshold."""


class Curve(BaseModel):
    """What is left of the source's network by threshold; null where no plan is possible, with the reason."""

    criterion: str
    thresholds: list[float]
    parameters_ratio: list[float | None]
    backbone_parameters_ratio: list[float | None]
    macs_ratio: list[float | None]
    problems: list[str | None]


def curve(session: Session, request: WidthRequest) -> Curve:
    """Return the plan's ratios at thresholds around the criterion's own; none for a criterion without threshold.

    Raises `InvalidInput` for a criterion that there is not.
    """
    criterion_threshold(request.criterion, None)
    found: list[tuple[float, tuple[float, float, float] | None, str | None]] = []
    for threshold in thresholds_around(request.criterion):
        try:
            plan, _ = service.plan(session, request.model_copy(update={"threshold": threshold}))
        except InvalidInput as error:
            found.append((threshold, None, str(error)))
            continue
        totals = plan.totals
        ratios = totals.parameters_ratio, totals.backbone_parameters_ratio, totals.macs_ratio
        found.append((threshold, ratios, None))
    return Curve(
        criterion=request.criterion,
        thresholds=[threshold for threshold, _, _ in found],
        parameters_ratio=[ratios and ratios[0] for _, ratios, _ in found],
        backbone_parameters_ratio=[ratios and ratios[1] for _, ratios, _ in found],
        macs_ratio=[ratios and ratios[2] for _, ratios, _ in found],
        problems=[problem for _, _, problem in found],
    )


@dataclass(frozen=True, slots=True)
class Range:
    """Between which two numbers a threshold moves, in equal ratios: itself, or (`left_out`) 1 less it."""

    first: float
    last: float
    left_out: bool

    def thresholds(self, points: int) -> list[float]:
        """Return so many thresholds along the range."""
        along = np.geomspace(self.first, self.last, points)
        return [float(x) for x in (1 - along if self.left_out else along)]


def range_around(info: CriterionInfo) -> Range | None:
    """Return the range of thresholds worth looking at, around the criterion's own; None for one without threshold.

    A share close to all moves by what it leaves out, from the most to the least: that is what matters of it.
    """
    own = info.default_threshold
    if own is None:
        return None
    if info.fraction and own > 0.5:
        return Range(0.5, (1 - own) / 10, True)
    highest = own * 10**DECADES
    return Range(own / 10**DECADES, min(highest, 1.0) if info.fraction else highest, False)


def thresholds_around(criterion: str) -> list[float]:
    """Return the thresholds of a criterion's curve, none for one without threshold."""
    around = range_around(CRITERIA[criterion])
    return around.thresholds(POINTS) if around else []
