"""What is told beside a plan: doubts about its spectra, what a chain waits for, sizes before anything has trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.database import Database
from backend.models import Run
from backend.runs import service
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from backend.widths import rounds

API = "/api/v1/width-plans"
Source = Callable[..., int]


@pytest.fixture
def source(
    database: Database,
    settings: Settings,
    specification: RunSpecification,
    write_spectra: Callable[..., None],
) -> Source:
    """Return a function that adds a run with half of each map's dimensions at iterations 0 and 100."""

    def add(lambda_1: float = 1.0, positions: int = 10**6, **values: Any) -> int:
        with database.writing() as session:
            run = service.launch(session, settings, specification)
            for name, value in ({"status": "succeeded"} | values).items():
                setattr(run, name, value)
        largest = {"layer4.1": lambda_1}
        write_spectra(run.id, lambda _name, width: width // 2, largest, positions, (0, 100))
        return run.id

    return add


def warnings(client: TestClient, run_id: int, **changes: Any) -> list[str]:
    answer = client.post(f"{API}?preview=true", json={"run_id": run_id} | changes)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["warnings"])


def test_a_trained_run_well_measured_raises_no_doubt(client: TestClient, source: Source) -> None:
    assert warnings(client, source()) == []


def test_untrained_and_unfinished_sources_are_told(client: TestClient, source: Source) -> None:
    run_id = source(status="cancelled", iteration=100)
    (late,) = warnings(client, run_id)
    assert late.startswith(f"Run {run_id} is cancelled, at 100 of ")
    (early,) = warnings(client, run_id, iteration=0)
    assert f"Run {run_id} was untrained at iteration 0" in early
    # An average is as doubtful as each of its runs.
    assert f"Run {run_id} is cancelled" in warnings(client, source(), also=[run_id])[0]


def test_eigenvalues_that_are_rounding_are_told_at_the_snapshot_used(
    client: TestClient, source: Source
) -> None:
    run_id = source(lambda_1=5e5)
    (told,) = warnings(client, run_id)
    assert told.startswith("In 1 of ")
    assert "largest: layer4.1, λ₁ = 5e+05" in told
    assert warnings(client, run_id, threshold=0.5) == [], "far above the rounding"
    assert warnings(client, run_id, criterion="relative", threshold=1e-7) == []


def test_few_positions_are_told(client: TestClient, source: Source) -> None:
    (told,) = warnings(client, source(positions=1000))
    assert "fewer than 8 positions per channel (least: layer4" in told


def test_what_no_spectrum_speaks_for_is_told(client: TestClient, source: Source) -> None:
    run_id = source()
    told = warnings(client, run_id, budget=9)
    assert told[0].startswith("The scale is ")
    assert "groups become more than 2 times as wide as in the source (most: " in told[1]
    assert warnings(client, run_id, cap=True) == []
    assert warnings(client, run_id, criterion="effective_rank", budget=0.8)[0].startswith(
        "The criterion effective rank counts no dimensions"
    )


def test_what_few_positions_save_is_told_apart(client: TestClient, source: Source) -> None:
    def made(positions: int) -> dict[str, Any]:
        body = {"run_id": source(positions=positions), "cap": True, "budget": 0.85}
        return dict(client.post(f"{API}?preview=true", json=body).json())

    few, many, some = made(10), made(10**6), made(3000)
    saved = 1 - few["totals"]["backbone_parameters_ratio"]
    assert few["doubted_saving"] == pytest.approx(saved), "all of it"
    assert many["doubted_saving"] == 0
    # Of 512 channels 3,000 positions are too few, and there most is saved.
    assert 0.5 * saved < some["doubted_saving"] < saved


def end(database: Database, runs: Sequence[int], status: str) -> None:
    with database.writing() as session:
        for run_id in runs:
            run = session.get(Run, run_id)
            assert run is not None
            run.status = status


def test_a_chain_says_what_it_waits_for(
    client: TestClient, database: Database, settings: Settings, source: Source
) -> None:
    plan_id = client.post(API, json={"run_id": source()}).json()["id"]
    first, second = client.post(f"{API}/{plan_id}/runs", json={"rounds": 2, "seeds": [0, 1]}).json()[
        "run_ids"
    ]

    def told() -> dict[str, Any]:
        with database.writing() as session:
            rounds.advance(session, settings)
        return dict(client.get(f"{API}/{plan_id}").json())

    assert told()["waits_for"] == []
    end(database, [first], "failed")
    end(database, [second], "succeeded")
    assert told()["waits_for"] == [first]
    end(database, [second], "cancelled")
    assert told()["waits_for"] == [first, second]
    for run_id in (first, second):
        assert client.delete(f"/api/v1/runs/{run_id}").status_code == 204
    item = told()
    assert item["waits_for"] == []
    assert "every selected run of this round was deleted" in item["problem"]
    client.post(f"{API}/{plan_id}/runs", json={"rounds": 2})
    assert told()["problem"] is None, "launched again, the chain goes on"


def test_sizes_are_known_before_a_run_has_started(client: TestClient, source: Source) -> None:
    plan_id = client.post(API, json={"run_id": source()}).json()["id"]
    client.post(f"{API}/{plan_id}/runs", json={"baseline": True, "uniform": True})
    rows = {row["role"]: row for row in client.get(f"{API}/{plan_id}/result").json()["rows"]}
    totals = client.get(f"{API}/{plan_id}").json()["plan"]["totals"]
    for role, when in (("baseline", "before"), ("selected", "after")):
        for name in ("parameters", "backbone_parameters", "macs"):
            assert rows[role][name] == totals[f"{name}_{when}"]
    assert rows["selected"]["macs"] >= rows["uniform"]["macs"] > 0.9 * rows["selected"]["macs"]
