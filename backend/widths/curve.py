"""A plan's sizes as its threshold moves."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.spectra.criteria import CRITERIA
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
    """Return the plan's ratios at thresholds around the criterion's own; none for a criterion without threshold."""
    found: list[tuple[float, tuple[float, float, float] | None, str | None]] = []
    for threshold in _thresholds(request.criterion):
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


def _thresholds(criterion: str) -> list[float]:
    info = CRITERIA.get(criterion)
    if info is None or info.default_threshold is None:
        return []
    own = info.default_threshold
    if info.fraction and own > 0.5:
        # A share close to all: what matters is how much is left out.
        return [float(x) for x in 1 - np.geomspace(0.5, (1 - own) / 10, POINTS)]
    highest = own * 10**DECADES
    return [
        float(x)
        for x in np.geomspace(own / 10**DECADES, min(highest, 1.0) if info.fraction else highest, POINTS)
    ]
