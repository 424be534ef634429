"""What the rule itself makes doubtful in a plan: what its saving rests on, and widths no spectrum speaks for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backend.architectures.describe import sizes
from backend.runs.specification import RunSpecification
from backend.spectra.criteria import CRITERIA
from backend.spectra.positions import FEW_POSITIONS
from backend.widths.schemas import Plan

FAR_SCALE = 4.0
"""Channels for each dimension, above which the budget and not the spectra sets the widths."""
FAR_WIDER = 2.0
"""Times as wide as in the source, above which a group is named. Early layers widen a little in the paper too."""
FAR_LESS = 0.5
"""Of the backbone's parameters, below which a criterion that does not count eigenvalues is named."""


def doubted_saving(plan: Plan, specification: RunSpecification) -> float:
    """Return what share of the source's backbone parameters is saved in groups measured with too few positions.

    That is what the saving would lose if those groups kept their widths; at least 0.
    """
    kept = {one.group: one.original for one in plan.groups if one.positions_per_channel < FEW_POSITIONS}
    if not kept:
        return 0.0
    with_them, without = (
        _backbone_parameters(plan, specification, widths) for widths in (plan.widths, plan.widths | kept)
    )
    return max(0.0, (without - with_them) / plan.totals.backbone_parameters_before)


def rule_doubts(plan: Plan) -> Iterator[str]:
    """Tell what no spectrum speaks for, in one sentence each."""
    info = CRITERIA[plan.source.criterion]
    kept = plan.totals.backbone_parameters_ratio
    if not info.integer and kept < FAR_LESS:
        yield (
            f"The criterion {info.name.replace('_', ' ')} counts no dimensions but weighs them by their eigenvalues, "
            f"and reads far lower than a count: that {100 * (1 - kept):.0f} % of the backbone's parameters go follows "
            "from it; check with the absolute or relative criterion."
        )
    if plan.scale > FAR_SCALE:
        yield (
            f"The scale is {plan.scale:.3g}, far above 1: each dimension found gets so many channels, which fill the "
            "budget and which no spectrum asks for; lower the budget, or count more dimensions by another criterion or "
            "threshold."
        )
    wider = [one for one in plan.groups if one.width > FAR_WIDER * one.original]
    if wider:
        most = max(wider, key=lambda one: one.width / one.original)
        yield (
            f"{len(wider)} of {len(plan.groups)} groups become more than {FAR_WIDER:g} times as wide as in the source "
            f"(most: {most.group}, {most.original:,} to {most.width:,}), where nothing was measured; never let them be "
            "wider than the source (cap), or lower the budget."
        )


def _backbone_parameters(plan: Plan, specification: RunSpecification, widths: dict[str, int]) -> int:
    model, side = specification.model, specification.training.image_size
    network = sizes(
        model.architecture, model.backbone, model.norm, model.stride_in_1x1, plan.source.classes, side, side
    )
    row = np.array([[widths[group] for group in network.groups]], np.int64)
    body = np.array([term.stage == "stem" or term.stage.startswith("layer") for term in network.terms])
    return int(network.parameters(row)[0, body].sum())
