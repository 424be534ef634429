"""The page of a stored plan: where it comes from, its runs as they train, and what came of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession
from backend.http.parameters import PlanId
from backend.models import Run
from backend.runs import repository as runs
from backend.runs.presentation import items
from backend.widths import service
from backend.widths.result import Result, result
from backend.widths.schemas import WidthPlanItem
from frontend.pages.widths import FIRST_SEEDS, norms, plan_cautions
from frontend.templating import page
from frontend.width_latency import cell, sentence
from frontend.width_retraining import source_of_runs
from frontend.width_verdict import MEASURES, accuracy_line, size_lines

router = APIRouter()

ARCHITECTURES = {
    "faster_rcnn": "Faster R-CNN",
    "mask_rcnn": "Mask R-CNN",
    "retinanet": "RetinaNet",
    "classifier": "classifier",
}


@router.get("/widths/{plan_id}")
def show(plan_id: PlanId, request: Request, session: ReadSession) -> HTMLResponse:
    """Show one plan."""
    row = service.get(session, plan_id)
    (item,) = service.items(session, [row])
    found = result(session, row)
    source = session.get(Run, row.run_id) if row.run_id is not None else None
    roles = {one.run_id: one.role for one in item.runs}
    seeds = {one.run_id: one.seed for one in item.runs}
    trained = items(session, runs.many(session, list(roles)))
    return page(
        request,
        "width_plan.html",
        item=item,
        plan=item.plan,
        lines=[*size_lines(item.plan), accuracy_line(found)],
        cautions=plan_cautions(item.plan),
        runs=sorted(trained, key=lambda run: run.id),
        roles=roles,
        seeds=seeds,
        rows=found.rows,
        latency={row.role: cell(row, found.latency) for row in found.rows},
        notes=[one for one in (_counted(found, item), sentence(found.latency)) if one],
        caution=None if found.latency.together else found.latency.caution,
        measures=[
            (name, word)
            for name, word in MEASURES.items()
            if any(getattr(row, name) is not None for row in found.rows)
        ],
        norms=norms(row.specification),
        next_seeds=_next_seeds(item),
        known=source_of_runs(source, later_round=row.previous_plan_id is not None),
        architecture=ARCHITECTURES[item.plan.source.architecture],
    )


def _counted(found: Result, item: WidthPlanItem) -> str:
    if not found.source_counts:
        return ""
    return (
        f"The source counts as the baseline's seed {item.plan.source.seed}: trained from scratch by the same settings, "
        "it would come out the same once more."
    )


def _next_seeds(item: WidthPlanItem) -> list[int]:
    """Return the seeds that the form offers: the first, then those after what was launched."""
    used = [one.seed for one in item.runs]
    return [max(used) + 1] if used else list(FIRST_SEEDS)
