"""Runs over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Query
from pydantic import BaseModel, ConfigDict, Field

from backend.http.dependencies import BrokerDep, DatabaseDep, ReadSession, SettingsDep, WriteSession
from backend.http.parameters import LARGEST, RunId
from backend.runs import initialisation, recordings, repository, service
from backend.runs.cost import Cost
from backend.runs.edit import RunEdit
from backend.runs.presentation import RunDetail, detail
from backend.runs.presets import Preset, presets
from backend.runs.protocols import REFERENCE_BATCH
from backend.runs.recorded import FinishRequest, RecordingRequest
from backend.runs.specification import RunSpecification

router = APIRouter(tags=["runs"])

MOST_TOGETHER = 20


class CheckpointItem(BaseModel):
    """A checkpoint that a run can start from; a stopped run goes on from its `last`."""

    iteration: int
    bytes: int
    kept_as: list[Literal["last", "best", "snapshot"]]
    """Why it is there: the newest, of the best evaluation, of a snapshot of the spectra."""
    created_at: Any


class LaunchTogether(BaseModel):
    """Runs that are of use only beside each other."""

    model_config = ConfigDict(extra="forbid")

    runs: list[RunSpecification] = Field(min_length=1, max_length=MOST_TOGETHER)


@router.post("/runs", status_code=201)
def launch(
    specification: RunSpecification, database: DatabaseDep, settings: SettingsDep, broker: BrokerDep
) -> RunDetail:
    """Queue a run."""
    with database.writing() as session:
        run = service.launch(session, settings, specification)
        presented = detail(session, run)
    # Rung after the commit: a worker that answers at once must find the row.
    broker.ring(presented.id)
    return presented


@router.post("/runs/together", status_code=201)
def launch_together(
    request: LaunchTogether, database: DatabaseDep, settings: SettingsDep, broker: BrokerDep
) -> list[RunDetail]:
    """Queue several runs, all or none: the paper's I and S, say. Answers them in the order asked for."""
    with database.writing() as session:
        presented = [detail(session, run) for run in service.launch_together(session, settings, request.runs)]
    for one in presented:
        broker.ring(one.id)
    return presented


@router.post("/recordings", status_code=201)
def record(request: RecordingRequest, session: WriteSession) -> RunDetail:
    """Begin a recorded run, which your own training then tells of itself; no worker trains it."""
    return detail(session, recordings.start(session, request))


@router.post("/runs/{run_id}/finish")
def finish(run_id: RunId, request: FinishRequest, session: WriteSession) -> RunDetail:
    """Say how a recorded run ended; to say the same again changes nothing."""
    return detail(session, recordings.finish(session, run_id, request))


@router.post("/runs/preview")
def preview(specification: RunSpecification, session: ReadSession, settings: SettingsDep) -> Cost:
    """Say what a run would cost, and refuse what a launch would refuse."""
    return service.preview(session, settings, specification)


@router.get("/runs/{run_id}")
def show(run_id: RunId, session: ReadSession) -> RunDetail:
    """Show one run whole."""
    return detail(session, service.get(session, run_id))


@router.patch("/runs/{run_id}")
def edit(run_id: RunId, body: RunEdit, session: WriteSession) -> RunDetail:
    """Rename a run, change its tags or notes, or put it into the archive."""
    return detail(session, service.edit(session, run_id, **body.model_dump(exclude_unset=True)))


@router.delete("/runs/{run_id}", status_code=204)
def delete(run_id: RunId, session: WriteSession, settings: SettingsDep, after: BackgroundTasks) -> None:
    """Delete a run, what it measured and its files; a running one is ended."""
    service.delete(session, run_id)
    after.add_task(service.remove_files, settings, run_id)


@router.post("/runs/{run_id}/cancel")
def cancel(run_id: RunId, session: WriteSession) -> RunDetail:
    """Stop a queued or running run; a running one saves a checkpoint first, a recorded one is told when it writes."""
    return detail(session, service.cancel(session, run_id))


@router.post("/runs/{run_id}/resume")
def resume(run_id: RunId, database: DatabaseDep, broker: BrokerDep) -> RunDetail:
    """Let a stopped run go on from its last checkpoint."""
    with database.writing() as session:
        presented = detail(session, service.resume(session, run_id))
    broker.ring(run_id)
    return presented


@router.post("/runs/{run_id}/retry")
def retry(run_id: RunId, database: DatabaseDep, broker: BrokerDep) -> RunDetail:
    """Start a stopped run again from the beginning."""
    with database.writing() as session:
        presented = detail(session, service.retry(session, run_id))
    broker.ring(run_id)
    return presented


@router.get("/runs/{run_id}/checkpoints")
def checkpoints(run_id: RunId, session: ReadSession) -> list[CheckpointItem]:
    """List a run's checkpoints, earliest first."""
    service.get(session, run_id)
    return [
        CheckpointItem.model_validate(c, from_attributes=True)
        for c in repository.checkpoints(session, run_id)
    ]


@router.get("/specification/schema")
def schema() -> dict[str, Any]:
    """Return the JSON schema of a run specification: what the form is made from."""
    return RunSpecification.model_json_schema()


@router.get("/presets")
def preset_list(
    session: ReadSession,
    dataset_id: Annotated[
        int | None,
        Query(ge=1, le=LARGEST, description="Scale protocols to its images; empty leaves them as for COCO."),
    ] = None,
    batch_size: Annotated[
        int, Query(ge=1, le=1024, description="Scale rate and iterations to so many images an update.")
    ] = REFERENCE_BATCH,
) -> list[Preset]:
    """Return ready-made specifications, without a dataset."""
    return presets(service.training_images(session, dataset_id), batch_size)


@router.get("/weights")
def weights(settings: SettingsDep) -> list[str]:
    """Return the names that `init.file` may take."""
    return initialisation.weights_files(settings.data)
