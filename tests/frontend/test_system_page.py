"""The System page and the list of datasets: why runs wait, what takes the disk, versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from backend.models import Run
from backend.models.base import now
from backend.settings import Settings
from backend.system.disk import disk_use
from backend.system.endpoints import WorkerItem
from eigenscope.server import build_app
from frontend.pages import system as system_page
from frontend.queue_words import turns


class Item:
    """As much of a `RunItem` as turns read."""

    def __init__(self, run_id: int, eta: float | None = None, waits_for: int | None = None) -> None:
        self.id, self.waits_for = run_id, waits_for
        self.progress = type("Progress", (), {"eta_seconds": eta})()


def worker(run_id: int | None, gpus: int = 1, alive: bool = True) -> WorkerItem:
    devices = [{"name": "GPU", "memory_bytes": 2**30}] * gpus
    return WorkerItem(
        name="w", host="h", devices=devices, run_id=run_id, started_at=now(), seen_at=now(), alive=alive
    )


def queued(workers: list[WorkerItem], busy: list[Any], number: int = 3, gpus: int | None = None) -> Any:
    queue: list[Any] = [Item(k) for k in range(number)]
    rows = {k: Run(priority=0, specification={"resources": {"gpus": gpus}}) for k in range(number)}
    return turns(queue, rows, workers, busy)


def test_each_run_of_the_queue_says_why_it_waits() -> None:
    assert {turn.reason for turn in queued([worker(None, alive=False)], [])} == {"no worker is alive"}
    one = [turn.reason for turn in queued([worker(7)], [Item(7, 7500)])]
    assert one == [
        "the worker is busy; one is free in about 2 h 5 min",
        "1 run before it",
        "2 runs before it",
    ]
    two = [turn.reason for turn in queued([worker(7), worker(8)], [Item(7, 600), Item(8, None)])]
    assert two[0] == "all 2 workers are busy; one is free in about 10 min"
    assert two[1:] == ["1 run before it", "2 runs before it"]
    free = [turn.reason for turn in queued([worker(7), worker(None)], [Item(7, 600)])]
    assert free[0] == "a free worker takes it within seconds"


def test_a_run_that_waits_for_another_has_no_turn_and_holds_nobody_up() -> None:
    queue: list[Any] = [Item(0, waits_for=9), Item(1), Item(2)]
    rows = {k: Run(priority=0, specification={"resources": {"gpus": None}}) for k in range(3)}
    found = turns(queue, rows, [worker(7)], [])
    assert [turn.place for turn in found] == [None, 1, 2]
    assert [turn.reason for turn in found] == ["", "the worker is busy", "1 run before it"]


def test_what_a_queued_run_waits_for_is_linked(
    client: TestClient, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    source, init = roles["running"], {"kind": "run", "run_id": roles["running"], "iteration": None}
    run = passing_run(status="queued", parent_run_id=source)
    specification = client.get(f"/api/v1/runs/{run}").json()["specification"] | {"init": init}
    passing_run(specification=specification)
    link = f'<a href="/runs/{source}">run {source}</a>'
    system = client.get("/system").text.partition(f'id="queued-{run}"')[2].partition("</tr>")[0]
    assert link in system
    row = client.get("/").text.partition(f'id="run-{run}"')[2].partition("</tr>")[0]
    assert f"waits for {link}" in row
    # When the source changes, its row is asked for, and what it holds up is written too.
    assert f'id="run-{run}" data-id' in client.get("/", params={"only": source}).text
    assert f'id="run-{run}" data-same' in client.get("/", params={"only": roles["I"]}).text
    assert f"waits for {link}" in client.get(f"/runs/{run}").text
    losses = client.get("/api/v1/figures/losses", params={"runs": run}).json()
    assert losses["layout"]["meta"]["empty"].startswith(f"Waits for run {source}. ")
    passing_run(parent_run_id=roles["I"])
    assert client.get(f"/api/v1/runs/{run}").json()["waits_for"] is None


def test_a_run_that_no_worker_can_hold_is_warned_of() -> None:
    (turn,) = queued([worker(7)], [Item(7, 600)], number=1, gpus=4)
    assert turn.warning == (
        "it asks for 4 GPUs and no worker has more than 1: it waits until one with so many is started"
    )
    assert (turn.place, turn.reason) == (None, "")
    (turn,) = queued([worker(7)], [Item(7, 600)], number=1, gpus=1)
    assert not turn.warning


def test_the_disk_is_told_by_what_uses_it(session: Session, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None)
    (tmp_path / "runs" / "1").mkdir(parents=True)
    (tmp_path / "runs" / "1" / "checkpoint-5.pt").write_bytes(b"x" * 100_000)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.jpg").write_bytes(b"x" * 1_000_000)
    found = disk_use(session, settings)
    assert found.uses["checkpoints"] >= 100_000
    assert found.uses["database"] > 0
    assert found.uses["other"] + found.uses["datasets"] < 1_000_000, "the operator's own data are not counted"
    assert sum(found.uses.values()) + found.outside + found.free == pytest.approx(found.total, rel=1e-6)


def test_system_shows_reasons_disk_and_versions(client: TestClient) -> None:
    page = client.get("/system").text
    assert "Waits because" in page
    assert "Checkpoints" in page
    assert "plotly.js" in page


def test_of_a_long_queue_the_beginning_is_shown_and_the_rest_linked(
    client: TestClient, passing_run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = passing_run(status="queued", priority=9)
    assert "These begin first" not in client.get("/system").text
    monkeypatch.setattr(system_page, "QUEUED_AT_MOST", 1)
    page = client.get("/system").text
    assert re.findall(r'id="queued-(\d+)"', page) == [str(run)]
    assert re.search(r'These begin first; <a href="/\?status=queued">\d+ runs</a> are queued', page)


def test_datasets_have_a_page(client: TestClient, settings_of_an_empty_database: Settings) -> None:
    page = client.get("/datasets").text
    assert 'href="/datasets/1"' in page
    assert 'aria-current="page">Datasets' in page
    with TestClient(build_app(settings_of_an_empty_database), base_url="http://127.0.0.1") as fresh:
        assert "None yet" in fresh.get("/datasets").text
