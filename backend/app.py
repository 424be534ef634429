"""The API. `eigenscope.server` adds the pages."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from backend.access.gate import Gate
from backend.broker import Broker
from backend.comparison import endpoints as comparison
from backend.database import Database
from backend.datasets import endpoints as datasets
from backend.datasets import image_endpoints as dataset_images
from backend.http.access import Access
from backend.http.errors import ERRORS, add_error_handlers
from backend.http.limits import BodyLimit
from backend.http.proxy import add_proxy
from backend.http.requests import Requests
from backend.http.room import Room
from backend.measurements import endpoints as measurements
from backend.observability.durations import Durations
from backend.runs import checkpoint_files, heartbeat, log_endpoints
from backend.runs import endpoints as runs
from backend.runs.table import endpoints as runs_table
from backend.settings import Settings
from backend.system import endpoints as system
from backend.system import events, health, metrics
from backend.system.changes import Changes
from backend.system.readiness import Readiness
from backend.system.sweeper import Sweeper
from backend.webhooks.messenger import Messenger
from backend.webhooks.receivers import receivers
from backend.widths import endpoints as widths

API = "/api/v1"


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its database must be at the newest migration already."""
    receivers(settings)
    # The usual viewer of /docs comes from a foreign host; frontend/pages/api.py has one of our own.
    app = FastAPI(
        title="Eigenscope", version="1", lifespan=_lifespan, responses=ERRORS, docs_url=None, redoc_url=None
    )
    app.state.settings = settings
    app.state.database = Database(settings.database)
    app.state.broker = Broker(settings)
    app.state.gate = Gate(settings, app.state.database)
    app.state.readiness = Readiness(app.state.database, app.state.broker, settings)
    app.state.room = Room()
    app.state.changes = Changes(app.state.database)
    app.state.durations = Durations()
    app.state.stopping = threading.Event()
    app.add_middleware(BodyLimit)
    app.add_middleware(Access, settings=settings, gate=app.state.gate)
    app.add_middleware(Requests, durations=app.state.durations, api=API)
    add_proxy(app, settings)
    add_error_handlers(app)
    features = (
        runs_table,
        runs,
        log_endpoints,
        heartbeat,
        checkpoint_files,
        measurements,
        comparison,
        datasets,
        dataset_images,
        system,
        health,
        metrics,
        events,
        widths,
    )
    for feature in features:
        app.include_router(feature.router, prefix=API)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    sweeper = Sweeper(app.state.database, app.state.broker, app.state.settings)
    app.state.readiness.sweeper = sweeper
    sweeper.start()
    messenger = Messenger(app.state.database, app.state.settings)
    app.state.readiness.messenger = messenger
    messenger.start()
    try:
        yield
    finally:
        sweeper.stop()
        messenger.stop()
        app.state.broker.close()
        app.state.database.dispose()
