"""From measured groups to a plan of widths: the rule, and what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.architectures.describe import sizes
from backend.architectures.terms import Sizes
from backend.architectures.widths import resolved_widths
from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification
from backend.widths.groups import Group
from backend.widths.rounding import Integers, Rounding
from backend.widths.search import Budget, Search


@dataclass(frozen=True, slots=True)
class Rule:
    """w_g = round_to(divisor, scale d_g), with the largest scale within the budgets (shares of the original's).

    `budget` bounds MACs and `parameters_budget` parameters; None sets no bound. `cap` keeps every width at or below the
    original's; without, early layers may widen where late ones shrink.
    """

    budget: float | None
    parameters_budget: float | None
    divisor: int
    minimum: int
    cap: bool


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A group's dimensionality, and its width before and after."""

    group: Group
    original: int
    width: int


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """Parameters, and MACs of one image, of a part of the network before and after."""

    name: str
    parameters: tuple[int, int]
    macs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Selection:
    """A plan: `widths` holds every group's width, as `model.widths` of a run takes them."""

    scale: float
    groups: tuple[PlannedGroup, ...]
    stages: tuple[PlannedStage, ...]
    widths: dict[str, int]


def select(
    model: ModelSpecification, classes: int, side: int, groups: Sequence[Group], rule: Rule
) -> Selection:
    """Return the plan for a network on square images of `side` pixels.

    Raises `InvalidInput` where no width that is allowed stays within the budget, with the least that does.
    """
    network = sizes(model.architecture, model.backbone, model.norm, model.stride_in_1x1, classes, side, side)
    original = resolved_widths(model.architecture, model.backbone, model.widths)
    before = np.array([original[group] for group in network.groups], np.int64)
    search = _search(network, before, groups, rule)
    budget = _budget(network, before, rule)
    scale = search.largest(budget)
    if scale is None:
        raise InvalidInput(_out_of_reach(network, before, search.widths(np.zeros(1)), rule))
    after = search.widths(np.array([scale]))
    widths = dict(zip(network.groups, after[0].tolist(), strict=True))
    planned = tuple(PlannedGroup(group, original[group.name], widths[group.name]) for group in groups)
    return Selection(scale, planned, tuple(_stages(network, before[None], after)), widths)


def _search(network: Sizes, before: Integers, groups: Sequence[Group], rule: Rule) -> Search:
    chosen = np.array([network.groups.index(group.name) for group in groups])
    rounding = Rounding(
        dimensions=np.array([group.dimensionality for group in groups]),
        divisor=rule.divisor,
        minimum=rule.minimum,
        ceilings=before[chosen] if rule.cap else None,
    )
    return Search(network, chosen, before, rounding)


def _budget(network: Sizes, before: Integers, rule: Rule) -> Budget:
    macs, parameters = (
        int(count.sum()) for count in (network.macs(before[None]), network.parameters(before[None]))
    )
    return Budget(
        macs=None if rule.budget is None else int(rule.budget * macs),
        parameters=None if rule.parameters_budget is None else int(rule.parameters_budget * parameters),
    )


def _stages(network: Sizes, before: Integers, after: Integers) -> list[PlannedStage]:
    counts = [count(widths)[0] for count in (network.parameters, network.macs) for widths in (before, after)]
    names = list(dict.fromkeys(term.stage for term in network.terms))
    found = []
    for name in names:
        mask = np.array([term.stage == name for term in network.terms])
        p0, p1, m0, m1 = (int(count[mask].sum()) for count in counts)
        found.append(PlannedStage(name, (p0, p1), (m0, m1)))
    return found


def _out_of_reach(network: Sizes, before: Integers, least: Integers, rule: Rule) -> str:
    shares = {
        "budget": (rule.budget, network.macs, "MACs"),
        "parameters_budget": (rule.parameters_budget, network.parameters, "parameters"),
    }
    for name, (asked, count, what) in shares.items():
        reached = count(least).sum() / count(before[None]).sum()
        if asked is not None and reached > asked:
            return (
                f"{name}: no widths have {asked:g} of the original's {what}: the least, {rule.minimum} channels in "
                f"every group that is set, still have {reached:.4f}; raise it, or include more groups"
            )
    raise AssertionError("some budget is exceeded by the least widths")
