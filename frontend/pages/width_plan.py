"""The page of a stored plan: where it comes from, its runs as they train, and what came of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession
from backend.runs import repository as runs
from backend.runs.presentation import items
from backend.widths import service
from backend.widths.result import ResultRow, result
from backend.widths.schemas import Totals, WidthPlanItem
from frontend.pages.widths import FIRST_SEEDS, norms, plan_cautions
from frontend.templating import page
from frontend.width_verdict import MEASURES, accuracy_line, size_lines

router = APIRouter()

ARCHITECTURES = {
    "faster_rcnn": "Faster R-CNN",
    "mask_rcnn": "Mask R-CNN",
    "retinanet": "RetinaNet",
    "classifier": "classifier",
}


@router.get("/widths/{plan_id}")
def show(plan_id: int, request: Request, session: ReadSession) -> HTMLResponse:
    """Show one plan."""
    row = service.get(session, plan_id)
    (item,) = service.items(session, [row])
    found = result(session, row)
    roles = {one.run_id: one.role for one in item.runs}
    seeds = {one.run_id: one.seed for one in item.runs}
    trained = items(session, runs.many(session, list(roles)))
    return page(
        request,
        "width_plan.html",
        item=item,
        plan=item.plan,
        lines=[*size_lines(item.plan.totals), accuracy_line(found)],
        cautions=plan_cautions(item.plan),
        runs=sorted(trained, key=lambda run: run.id),
        roles=roles,
        seeds=seeds,
        rows=[_sized(one, item.plan.totals) for one in found.rows],
        measures=[
            (name, word)
            for name, word in MEASURES.items()
            if any(getattr(row, name) is not None for row in found.rows)
        ],
        norms=norms(row.specification),
        next_seeds=_next_seeds(item),
        architecture=ARCHITECTURES[item.plan.source.architecture],
    )


def _sized(row: ResultRow, totals: Totals) -> ResultRow:
    """Return the row with the plan's own numbers where no run has started, and so measured, yet."""
    if row.parameters is not None or row.role == "uniform":
        return row
    when = "after" if row.role == "selected" else "before"
    names = ("parameters", "backbone_parameters", "macs")
    return row.model_copy(update={name: getattr(totals, f"{name}_{when}") for name in names})


def _next_seeds(item: WidthPlanItem) -> list[int]:
    """Return the seeds that the form offers: the first, then those after what was launched."""
    used = [one.seed for one in item.runs]
    return [max(used) + 1] if used else list(FIRST_SEEDS)
