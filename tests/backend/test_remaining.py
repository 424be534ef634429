"""How long a run still takes: updates, and the probes and evaluations between them, told alike everywhere."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from backend.database import Database
from backend.measurements import repository as measurements
from backend.models import Run
from backend.runs.remaining import evaluations_left, probes_left
from backend.runs.specification import RunSpecification


@pytest.fixture
def run_id(database: Database, specification: RunSpecification) -> int:
    """Return a running run: 40 of 100 iterations, probed every 20, evaluated every 30."""
    said = specification.model_dump(mode="json")
    said["training"]["iterations"] = 100
    said["probe"] |= {"images": 4, "every": 20}
    said["evaluate_every"] = 30
    with database.writing() as session:
        run = Run(
            name="r",
            specification=said,
            dataset_id=said["dataset_id"],
            status="running",
            phase="training",
            iteration=40,
            iterations=100,
            seconds_per_iteration=0.5,
        )
        session.add(run)
        session.flush()
        return run.id


def write(database: Database, run_id: int, *points: tuple[int, str, float]) -> None:
    with database.writing() as session:
        measurements.write_metrics(session, run_id, points)


def told(client: TestClient, run_id: int) -> tuple[float, bool]:
    progress = client.get(f"/api/v1/runs/{run_id}").json()["progress"]
    return progress["eta_seconds"], progress["eta_whole"]


def test_probes_and_evaluations_to_come_are_in_it(
    client: TestClient, database: Database, run_id: int
) -> None:
    assert told(client, run_id) == (30.0, False)
    # Snapshots at 60, 80 and 100; evaluations at 60, 90 and 100.
    write(database, run_id, (0, "probe_seconds", 9.0), (40, "probe_seconds", 2.0))
    assert told(client, run_id) == (36.0, False)
    write(database, run_id, (30, "evaluation_seconds", 10.0))
    assert told(client, run_id) == (66.0, True)
    (listed,) = client.get("/api/v1/runs", params={"c": "eta_seconds"}).json()["items"]
    assert listed["progress"]["eta_seconds"] == listed["values"]["eta_seconds"] == 66.0


@pytest.mark.parametrize(
    ("phase", "expected"), [("probing", (4, 4)), ("evaluating", (3, 4)), ("training", (3, 3))]
)
def test_what_is_under_way_is_still_to_come(
    run_id: int, database: Database, phase: str, expected: object
) -> None:
    with database.writing() as session:
        run = session.get_one(Run, run_id)
        run.phase, run.iteration = phase, 60
        run.specification = run.specification | {"probe": {"images": 4, "every": 15}, "evaluate_every": 20}
        # Snapshots at 75, 90, 100; evaluations at 80, 100.
        at = (probes_left(run), evaluations_left(run))
    assert at == (expected[0], expected[1] - 1)


def test_a_recorded_run_has_nothing_but_its_updates() -> None:
    run = Run(specification={"settings": {}}, iteration=1, iterations=9, phase="recording")
    assert (probes_left(run), evaluations_left(run)) == (0, 0)
