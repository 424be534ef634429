"""A checkpoint's file over HTTP, asked for by run and iteration: no client ever names a path."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from backend.errors import NotFound
from backend.http.dependencies import ReadSession, SettingsDep
from backend.http.files import File
from backend.http.parameters import LARGEST, RunId
from backend.runs import repository, service

router = APIRouter(tags=["runs"])


@router.get(
    "/runs/{run_id}/checkpoints/{iteration}/file",
    response_class=File,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def download(
    run_id: RunId,
    iteration: Annotated[int, Path(ge=0, le=LARGEST)],
    session: ReadSession,
    settings: SettingsDep,
) -> File:
    """Return a checkpoint as torch reads it (`torch.load(…, weights_only=True)`)."""
    service.get(session, run_id)
    found = repository.checkpoint(session, run_id, iteration)
    if found is None:
        kept = ", ".join(str(one.iteration) for one in repository.checkpoints(session, run_id)) or "none"
        raise NotFound(f"run {run_id} keeps no checkpoint of iteration {iteration}; it keeps: {kept}")
    folder = settings.run_folder(run_id).resolve()
    path = (settings.home / found.file).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise NotFound(
            f"the checkpoint of run {run_id} at iteration {iteration} is gone from the disk; take another"
        )
    name = f"run-{run_id}-iteration-{iteration}{path.suffix}"
    return File(path, media_type="application/octet-stream", filename=name)
