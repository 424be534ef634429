"""The Run page: one run's training and its eigenspectra."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession, SettingsDep
from backend.http.parameters import RunId
from backend.measurements import repository as measurements
from backend.runs import repository, service
from backend.runs.heartbeat import heartbeat
from backend.runs.presentation import RunItem, detail
from backend.runs.waiting import lack_of_gpus
from backend.spectra.criteria import CRITERIA
from backend.widths.repository import plan_of_run
from frontend.cautions import CriterionKey, ThresholdKey, cautions
from frontend.explorer import counterpart, explorer_view
from frontend.pages.widths import plans
from frontend.run_actions import action_buttons
from frontend.run_settings import setting_groups
from frontend.templating import page
from frontend.training_charts import charts_of_run

router = APIRouter()

KEPT = {
    "last": "The newest: what the run goes on from.",
    "best": "Of the best evaluation so far, by mask AP, AP or top-1.",
    "snapshot": "Of a snapshot of the spectra.",
}
"""Why a checkpoint is kept."""


@router.get("/runs/{run_id}")
def show(
    run_id: RunId,
    request: Request,
    session: ReadSession,
    settings: SettingsDep,
    c: CriterionKey = "",
    t: ThresholdKey = "",
) -> HTMLResponse:
    """Show one run."""
    found = service.get(session, run_id)
    run = detail(session, found)
    charts = charts_of_run(session, found)
    kept = repository.checkpoints(session, run_id)
    gpus = found.specification.get("resources", {}).get("gpus")
    return page(
        request,
        "run.html",
        run=run,
        peer=counterpart(session, found),
        cautions=cautions(session, [found], c, t),
        criteria=list(CRITERIA.values()),
        buttons=action_buttons(found, run, bool(kept)),
        beat=heartbeat(session, found, settings),
        lack=lack_of_gpus(session, settings, gpus) if found.status == "queued" and gpus else "",
        settings=setting_groups(run.specification),
        training=[chart for chart in charts if not chart.aside],
        asides=[chart for chart in charts if chart.aside],
        waited=measurements.mean_metric(session, run_id, "data_wait"),
        checkpoints=kept,
        bare=_is_bare(run),
        plans=plans(session, run_id),
        plan=plan_of_run(session, run_id),
        kept=KEPT,
        pictured=bool(measurements.prediction_iterations(session, run_id)),
        view=explorer_view(session, [found]),
    )


def _is_bare(run: RunItem) -> bool:
    """Whether a run has ended before anything of it was recorded: its error, log and settings are all there is."""
    ended = run.status in ("failed", "cancelled", "lost")
    return ended and not run.progress.iteration and not run.summary.snapshots
