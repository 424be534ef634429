"""The New run page: the form, empty, from a preset or from another run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.datasets import repository as datasets
from backend.errors import Conflict, NotFound
from backend.http.dependencies import ReadSession, SettingsDep
from backend.models import Checkpoint, Run
from backend.runs import initialisation, service
from backend.runs.presets import presets
from backend.runs.specification import RunSpecification
from frontend.form import form_groups
from frontend.settings_table import is_recorded
from frontend.templating import page

router = APIRouter()

BOTH = "both"
DATASETS_AT_MOST = 1000
INITS = (
    ("imagenet", "ImageNet", "torchvision's ImageNet weights"),
    ("scratch", "Scratch", "random weights"),
    ("run", "Run", "the weights of another run's checkpoint"),
    ("file", "File", "a file of weights below the data root"),
)
INPUTS = (
    ("", "not said"),
    ("rgb", "RGB, 0 … 1, normalised (torchvision)"),
    ("bgr_255", "BGR, 0 … 255, less the mean (MSRA, Caffe)"),
)


@router.get("/new")
def show(
    request: Request,
    session: ReadSession,
    settings: SettingsDep,
    preset: Annotated[str, Query(max_length=40)] = "",
    origin: Annotated[int | None, Query(alias="from", ge=1, description="A run to start from.")] = None,
) -> HTMLResponse:
    """Show the form."""
    values, source = _values(session, preset, origin)
    sources = _runs_with_checkpoints(session)
    return page(
        request,
        "new_run.html",
        groups=form_groups(RunSpecification.model_json_schema(), values),
        init=values.get("init") or {"kind": "scratch"},
        inits=INITS,
        dataset_id=values.get("dataset_id"),
        datasets=datasets.page(session, 0, DATASETS_AT_MOST),
        inputs=INPUTS,
        sources=sources,
        kept=_kept_by(session, sources),
        files=initialisation.weights_files(settings.data),
        presets=presets(),
        preset=preset,
        pair=preset == BOTH,
        source=source,
    )


def _values(session: Session, preset: str, origin: int | None) -> tuple[Mapping[str, Any], Run | None]:
    if origin is not None:
        run = service.get(session, origin)
        if is_recorded(run.specification):
            raise Conflict(
                f"run {run.id} '{run.name}' is recorded from outside, so there is nothing here that a worker could "
                "train again; start from a preset, or record its training once more"
            )
        return run.specification, run
    if not preset:
        return {}, None
    by_name = {one.name: one for one in presets()}
    # A pair is filled from I; its scratch half differs in the initialisation and the tag only.
    chosen = by_name.get("I" if preset == BOTH else preset)
    if chosen is None:
        raise NotFound(f"there is no preset '{preset}'; take one of {', '.join([*by_name, BOTH])}")
    values = chosen.specification
    return ({**values, "tags": []} if preset == BOTH else values), None


def _runs_with_checkpoints(session: Session) -> list[Run]:
    with_one = select(Checkpoint.run_id).distinct()
    return list(session.scalars(select(Run).where(Run.id.in_(with_one)).order_by(Run.id.desc()).limit(500)))


def _kept_by(session: Session, runs: Sequence[Run]) -> list[Checkpoint]:
    chosen = Checkpoint.run_id.in_([run.id for run in runs])
    return list(session.scalars(select(Checkpoint).where(chosen).order_by(Checkpoint.iteration)))
