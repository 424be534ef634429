"""The Compare page: any number of runs under one cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession
from backend.runs import repository
from backend.runs.presentation import items
from backend.spectra.criteria import CRITERIA
from frontend import gather
from frontend.cautions import CriterionKey, ThresholdKey, cautions
from frontend.explorer import explorer_view
from frontend.figures.colours import hue
from frontend.figures.groups import ALL_TAGS
from frontend.formats import init_label
from frontend.settings_table import (
    UNTOLD,
    by_part,
    compared_settings,
    comparison_caution,
    counted_words,
    recorded_warning,
)
from frontend.story.telling import story_of
from frontend.templating import page
from frontend.training_charts import charts_of_comparison

router = APIRouter()

OTHERS_AT_MOST = 200


@router.get("/compare")
def show(
    request: Request,
    session: ReadSession,
    runs: Annotated[str, Query(max_length=200, description="Ids separated by commas.")] = "",
    c: CriterionKey = "",
    t: ThresholdKey = "",
    story: Annotated[str, Query(max_length=10, description="0 folds the story.")] = "",
    same: Annotated[str, Query(max_length=10, description="1 shows settings that are the same.")] = "",
) -> HTMLResponse:
    """Show the runs side by side; the rest of the view (layer, iteration, criterion) is the browser's."""
    ids = gather.run_ids(runs)
    if not ids:
        return page(request, "choose.html")
    found = gather.runs_of(session, ids)
    specifications = [run.specification for run in found]
    presented = items(session, found)
    datasets = {str(run.dataset.id): run.dataset.name for run in presented if run.dataset}
    settings = compared_settings(specifications, datasets)
    warning = recorded_warning([(run.name, run.specification) for run in found])
    differing = comparison_caution(specifications)
    view = explorer_view(session, found)
    return page(
        request,
        "compare.html",
        band_choices=tuple((tag, tag) for tag in view["bands"] if tag != ALL_TAGS),
        difference_note=_difference_note([run.specification["init"]["kind"] for run in found]),
        runs=presented,
        strokes=[run.dash for run in gather.figure_runs(found)],
        others=[one for one in repository.newest(session, OTHERS_AT_MOST) if one[0] not in ids],
        warnings=[warning] if warning else [],
        cautions=[*([differing] if differing else []), *cautions(session, found, c, t)],
        story=story_of(session, found, c, t),
        story_open=story != "0",
        criteria=list(CRITERIA.values()),
        settings=by_part(settings),
        settings_count=counted_words(settings),
        hide_identical=same != "1",
        untold=UNTOLD,
        training=charts_of_comparison(session, found),
        view=view,
    )


def _difference_note(inits: Sequence[str]) -> str:
    """Say which run is taken from which, and what the colours mean where they are not the runs' own."""
    labels = [init_label(init) for init in inits]
    if len({hue(init) for init in inits}) == 1:
        return "first (purple) − second (green), in points of the width"
    return f"{' − '.join(labels)}, in points of the width"
