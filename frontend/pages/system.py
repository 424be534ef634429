"""The System page: workers, queue, disk, datasets, versions."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.datasets import repository as datasets
from backend.http.dependencies import ReadSession, SettingsDep
from backend.runs import repository as runs
from backend.runs.presentation import items
from backend.system import endpoints, repository
from backend.system.disk import disk_use
from frontend.pages.dataset import listed
from frontend.queue_words import turns
from frontend.templating import page
from frontend.versions import versions

router = APIRouter()

QUEUED_AT_MOST = 200
DATASETS_AT_MOST = 8
"""All of them have a page of their own."""
DISK_WORDS = {
    "database": ("Spectra and metrics", "The database: runs, metrics, spectra, logs"),
    "checkpoints": ("Checkpoints", "Each run's page lists its own; deleting the run removes them"),
    "datasets": (
        "Datasets made here",
        "Generated or converted by this server; your own files are not counted",
    ),
    "other": ("Other files", "Logs, messages between server and workers, previews of images"),
}


@router.get("/system")
def show(request: Request, session: ReadSession, settings: SettingsDep) -> HTMLResponse:
    """Show what runs where, what waits and why, what takes the disk, and what is installed."""
    workers = endpoints.workers(session, settings)
    trained = runs.many(session, [one.run_id for one in workers if one.run_id])
    busy = {one.id: one for one in items(session, trained)}
    queued = repository.queued(session, QUEUED_AT_MOST)
    rows = {row.id: row for row in queued}
    disk = disk_use(session, settings)
    return page(
        request,
        "system.html",
        workers=workers,
        busy=busy,
        queue=turns(items(session, queued), rows, workers, list(busy.values())),
        queued_in_all=repository.runs_by_status(session).get("queued", 0),
        datasets=listed(session, DATASETS_AT_MOST),
        datasets_in_all=datasets.count(session),
        disk=disk,
        disk_uses=[(*DISK_WORDS[use], use, taken) for use, taken in disk.uses.items()],
        versions=versions(session),
    )
