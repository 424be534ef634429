"""The New run page: the form, empty, from a preset or from another run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from backend.datasets import repository as datasets
from backend.errors import Conflict, NotFound
from backend.http.dependencies import ReadSession, SettingsDep
from backend.http.parameters import LARGEST
from backend.models import Checkpoint, Run
from backend.runs import initialisation, repository, service
from backend.runs.presets import Preset, presets
from backend.runs.protocols import REFERENCE_BATCH
from backend.runs.specification import RunSpecification
from backend.runs.waiting import UNDER_WAY
from frontend.form import form_groups
from frontend.settings_table import is_recorded
from frontend.templating import page

router = APIRouter()

DATASETS_AT_MOST = 1000
SOURCES_AT_MOST = 500
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
    origin: Annotated[int | None, Query(alias="from", ge=1, le=LARGEST, description="A run to copy.")] = None,
    checkpoint: Annotated[
        int | None, Query(ge=0, le=LARGEST, description="Start from this checkpoint of the copied run.")
    ] = None,
    scale_to: Annotated[
        Annotated[int, Field(ge=1, le=LARGEST)] | Literal[""],
        Query(alias="dataset_id", description="Whose images a protocol is scaled to."),
    ] = "",
    batch_size: Annotated[int, Query(ge=1, le=1024)] = REFERENCE_BATCH,
) -> HTMLResponse:
    """Show the form."""
    dataset_id = scale_to or None
    offered = presets(service.training_images(session, dataset_id), batch_size)
    chosen = _chosen(offered, preset)
    pair = chosen is not None and preset == chosen.pair
    source = _source(session, origin)
    values = source.specification if source else _of_preset(chosen, pair)
    init = _init(session, source, checkpoint) or values.get("init") or {"kind": "scratch"}
    sources = _runs_to_start_from(session, init.get("run_id"))
    return page(
        request,
        "new_run.html",
        groups=form_groups(RunSpecification.model_json_schema(), values),
        init=init,
        inits=INITS,
        dataset_id=values.get("dataset_id", dataset_id),
        datasets=datasets.page(session, 0, DATASETS_AT_MOST),
        inputs=INPUTS,
        sources=sources,
        kept=_kept_by(session, sources),
        files=initialisation.weights_files(settings.data),
        preset_groups=_grouped(offered),
        preset=preset,
        chosen=chosen,
        scaled_to=dataset_id,
        scale=_scale(dataset_id, batch_size),
        batch_size=batch_size,
        pair=pair,
        source=source,
        marks=_marks(values, source, chosen),
    )


def _marks(values: Mapping[str, Any], source: Run | None, chosen: Preset | None) -> dict[str, Any]:
    """Return what changes are marked against, whole, and what a person calls it."""
    defaults = RunSpecification(dataset_id=1).model_dump(mode="json")
    given = RunSpecification.model_validate({"dataset_id": 1, **values}).model_dump(mode="json")
    if source is None:
        # The form chooses one; that is no change of the preset or the defaults.
        del given["dataset_id"]
    words = f"run {source.id}" if source else "the preset" if chosen else "the defaults"
    return {"base": given, "defaults": defaults, "words": words}


def _scale(dataset_id: int | None, batch_size: int) -> str:
    """Return what a link to another preset adds to its address, so that the scale stays chosen."""
    dataset = "" if dataset_id is None else f"&dataset_id={dataset_id}"
    return dataset + ("" if batch_size == REFERENCE_BATCH else f"&batch_size={batch_size}")


def _grouped(offered: Sequence[Preset]) -> dict[str, list[tuple[str, str, str]]]:
    """Return each group's links as (name, label, explanation); a pair's follows its two."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for position, one in enumerate(offered):
        links = groups.setdefault(one.group, [])
        links.append((one.name, one.label, one.description))
        last = position + 1 == len(offered) or offered[position + 1].pair != one.pair
        if one.pair and last:
            both = f"{one.pair.removesuffix('-both')} both" if "-" in one.pair else "both"
            links.append((one.pair, both, "Two runs that share everything but their first weights"))
    return groups


def _chosen(offered: Sequence[Preset], name: str) -> Preset | None:
    """Return the preset of that name, or the first of the pair of that name; no name chooses none."""
    if not name:
        return None
    found = next((one for one in offered if name in (one.name, one.pair)), None)
    if found is None:
        names = dict.fromkeys(name for one in offered for name in (one.name, one.pair) if name)
        raise NotFound(f"there is no preset '{name}'; take one of {', '.join(names)}")
    return found


def _source(session: Session, origin: int | None) -> Run | None:
    """Return the run to copy. Raises `Conflict` for a recorded one, which has no specification."""
    if origin is None:
        return None
    run = service.get(session, origin)
    if is_recorded(run.specification):
        raise Conflict(
            f"run {run.id} '{run.name}' is recorded from outside, so there is nothing here that a worker could "
            "train again; start from a preset, or record its training once more"
        )
    return run


def _of_preset(chosen: Preset | None, pair: bool) -> Mapping[str, Any]:
    if chosen is None:
        return {}
    # A pair is filled from I; its scratch half differs in the initialisation and the tag only.
    without = ("I",) if pair else ()
    tags = [tag for tag in chosen.specification["tags"] if tag not in without]
    return {**chosen.specification, "tags": tags}


def _init(session: Session, source: Run | None, checkpoint: int | None) -> dict[str, Any] | None:
    """Return the first weights where a checkpoint of the copied run was asked for."""
    if source is None or checkpoint is None:
        return None
    if repository.checkpoint(session, source.id, checkpoint) is None:
        kept = ", ".join(str(one.iteration) for one in repository.checkpoints(session, source.id)) or "none"
        raise NotFound(f"run {source.id} keeps no checkpoint of iteration {checkpoint}; it keeps {kept}")
    return {"kind": "run", "run_id": source.id, "iteration": checkpoint}


def _runs_to_start_from(session: Session, named: int | None) -> list[Run]:
    """Return the runs with a checkpoint, newest first, and then those that will have one.

    Archived ones are left out, but not the one that is `named` already.
    """
    with_one = Run.id.in_(select(Checkpoint.run_id).distinct())
    will_have_one = and_(Run.status.in_(UNDER_WAY), Run.origin == "launched")
    query = select(Run).where(or_(with_one, will_have_one)).order_by(with_one.desc(), Run.id.desc())
    shown = or_(~Run.archived, Run.id == named)
    return list(session.scalars(query.where(shown).limit(SOURCES_AT_MOST)))


def _kept_by(session: Session, runs: Sequence[Run]) -> list[Checkpoint]:
    chosen = Checkpoint.run_id.in_([run.id for run in runs])
    return list(session.scalars(select(Checkpoint).where(chosen).order_by(Checkpoint.iteration)))
