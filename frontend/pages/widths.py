"""The Widths page: a run's spectra choose the widths of a smaller network, live, and its retraining is launched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from backend.errors import EigenscopeError, InvalidInput
from backend.http.dependencies import ReadSession
from backend.runs import service as runs
from backend.runs.specification import Norm
from backend.spectra.criteria import CRITERIA
from backend.spectra.positions import FEW_POSITIONS
from backend.widths import repository, service
from backend.widths.doubts import few_positions
from backend.widths.schemas import Plan, WidthPlanItem, WidthRequest
from frontend.cautions import Caution
from frontend.figures.width_curve import position
from frontend.templating import page
from frontend.width_keys import Keys, WidthKeys, figure_query, slider_ends
from frontend.width_problems import MEND, problem_of
from frontend.width_retraining import source_of_runs
from frontend.width_sources import first_choice, logged, of_the_same_network, optional_groups, sources
from frontend.width_verdict import size_lines

router = APIRouter()

PLANS_AT_MOST = 200
FIRST_SEEDS = (0, 1, 2)


@router.get("/widths")
def show(request: Request, session: ReadSession, keys: Keys) -> HTMLResponse:
    """Show the plan that the address asks for; without a run, what there is to choose from."""
    if not keys.run:
        choices = sources(session)
        first = first_choice(session, choices)
        return page(request, "width_plans.html", sources=choices, trained=first, plans=plans(session))
    run = runs.get(session, _id(keys.run))
    asked = _asked(session, keys)
    plan = asked.plan
    launched = run.origin == "launched"
    choices = sources(session)
    return page(
        request,
        "widths.html",
        run=run,
        sources=choices if run.id in {one.id for one in choices} else [run, *choices],
        iterations=logged(session, run)[::-1],
        others=of_the_same_network(session, run, keys.also) if launched else [],
        groups=optional_groups(run) if launched else [],
        keys=keys,
        criteria=[(one, slider_ends(one)) for one in CRITERIA.values() if one.unit == "dimensions"],
        plan=plan,
        lines=size_lines(plan, asked.missing),
        cautions=plan_cautions(plan) if plan else [],
        plans=plans(session, run.id),
        norms=norms(run.specification),
        first_seeds=FIRST_SEEDS,
        known=source_of_runs(run),
        view=_view(asked),
    )


def plans(session: Session, run_id: int | None = None) -> list[WidthPlanItem]:
    """Return stored plans, newest first; `run_id` takes those of one source."""
    return service.items(session, repository.page(session, run_id, 0, PLANS_AT_MOST)[0])


def plan_cautions(plan: Plan) -> list[Caution]:
    """Return the plan's warnings, with the groups they speak of to unfold."""
    few = [one for one in plan.groups if one.positions_per_channel < FEW_POSITIONS]
    lines = tuple(
        f"{one.group}: {one.positions_per_channel:.1f}"
        for one in sorted(few, key=lambda one: one.positions_per_channel)
    )
    of_few = few_positions({one.group: one.positions_per_channel for one in plan.groups})
    return [Caution(sentence, lines if sentence == of_few else ()) for sentence in plan.warnings]


def norms(specification: dict[str, Any]) -> list[str]:
    """Return the norms a retraining may have: first, as an empty text, the source's where it trains from scratch."""
    own = specification.get("model", {}).get("norm")
    trainable = [norm for norm in get_args(Norm) if norm != "frozen_batch"]
    return trainable if own == "frozen_batch" else ["", *(norm for norm in trainable if norm != own)]


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInput(f"run '{text}' must be a run's id, such as 3")
    return int(text)


@dataclass(frozen=True)
class _Asked:
    """What is asked for and its plan; where there is none, why, and at which controls (by key)."""

    wanted: WidthRequest | None = None
    plan: Plan | None = None
    refusal: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """What to do for a verdict."""
        return MEND if self.problems else "No plan follows: the chart says why."


def _asked(session: Session, keys: WidthKeys) -> _Asked:
    wanted, problems = keys.read()
    if wanted is None:
        return _Asked(refusal=" ".join(dict.fromkeys(problems.values())).removesuffix("."), problems=problems)
    try:
        return _Asked(wanted, service.plan(session, wanted)[0])
    except EigenscopeError as error:
        return _Asked(wanted, None, str(error), problem_of(str(error)))


def _view(asked: _Asked) -> dict[str, Any]:
    """Return what the browser draws by: the figures' query, and where the plan lies on the curve."""
    wanted, plan = asked.wanted, asked.plan
    known = wanted is not None and wanted.criterion in CRITERIA
    return {
        "query": figure_query(wanted) if wanted and known else None,
        "curve": figure_query(wanted, threshold=False) if wanted and known else None,
        "request": wanted.model_dump(mode="json") if wanted else None,
        "refusal": asked.refusal,
        "problems": asked.problems,
        "now": _now(plan),
    }


def _now(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None or plan.source.threshold is None:
        return None
    totals = plan.totals
    kept = [totals.backbone_parameters_ratio, totals.parameters_ratio, totals.macs_ratio]
    return {"x": position(plan.source.criterion, plan.source.threshold), "kept": kept}
