"""The first visit: one button queues the demo, and its page leads to the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run, Worker
from backend.settings import Settings
from eigenscope.server import build_app


@pytest.fixture
def empty(settings_of_an_empty_database: Settings) -> Iterator[TestClient]:
    app = build_app(settings_of_an_empty_database)
    with TestClient(app, base_url="http://127.0.0.1", headers={"Accept": "text/html"}) as opened:
        yield opened


@pytest.fixture
def database(settings_of_an_empty_database: Settings) -> Iterator[Database]:
    opened = Database(settings_of_an_empty_database.database)
    yield opened
    opened.dispose()


def write(database: Database, run_id: int, **columns: Any) -> None:
    with database.writing() as session:
        run = session.get_one(Run, run_id)
        for name, value in columns.items():
            setattr(run, name, value)
        run.revision += 1


def test_the_button_queues_what_make_demo_trains_and_refuses_a_second(empty: TestClient) -> None:
    answer = empty.post("/api/v1/demo")
    assert answer.status_code == 201, answer.text
    ids = answer.json()
    started, scratch = (empty.get(f"/api/v1/runs/{ids[role]}").json() for role in ("pretrained", "scratch"))
    assert started["specification"]["init"]["run_id"] == ids["pretraining"]
    shared = ("model", "training", "probe", "dataset_id")
    assert [started["specification"][part] for part in shared] == [
        scratch["specification"][part] for part in shared
    ]
    again = empty.post("/api/v1/demo")
    assert again.status_code == 409
    assert "under way already" in again.json()["detail"]
    assert empty.get("/api/v1/runs").json()["total"] == 3


def test_a_broken_pretraining_is_said_on_the_demos_page(empty: TestClient, database: Database) -> None:
    first = empty.post("/api/v1/demo").json()["pretraining"]
    write(database, first, status="failed", error="<b>no room</b>")
    page = empty.get("/demo").text
    assert "&lt;b&gt;no room&lt;/b&gt;" in page
    assert f'href="/runs/{first}"' in page
    assert "No worker is alive" in page


@pytest.mark.browser
def test_from_an_empty_database_to_the_comparison(
    tab: Page,
    settings_of_an_empty_database: Settings,
    serving: Callable[[Settings], AbstractContextManager[str]],
    database: Database,
) -> None:
    with serving(settings_of_an_empty_database) as server:
        tab.goto(server)
        expect(tab.locator("#demo-worker")).to_contain_text("eigenscope worker")
        with database.writing() as session:
            session.add(Worker(name="w", host="h", devices=[]))
        expect(tab.locator("#demo-worker")).to_be_hidden(timeout=30_000)
        tab.locator("#run-demo").dblclick()
        tab.wait_for_url("**/demo", timeout=120_000)
        steps = tab.locator(".steps > li")
        expect(steps).to_have_count(3)
        expect(tab.locator("#demo-waits")).to_have_attribute("aria-disabled", "true")
        with database.reading() as session:
            ids = [run.id for run in session.scalars(select(Run).order_by(Run.id))]
        assert len(ids) == 3
        for run_id in ids:
            write(database, run_id, status="succeeded", iteration=1)
            with database.writing() as session:
                measurements.write_layers(session, run_id, [LayerRow(0, "layer1.0", "block", "layer1", 2)])
                row = SpectrumRow(0, np.ones(2), 2, 2.0, 1.0, 1, 9)
                measurements.write_spectra(session, run_id, 0, [row])
        expect(tab.locator("a#demo-compare")).to_have_text("Compare I and S", timeout=30_000)
        tab.locator("a#demo-compare").click()
        tab.wait_for_url(f"**/compare?runs={ids[1]},{ids[2]}")
        # The page would ask a server that is gone.
        tab.goto("about:blank")
