"""How long a run still takes: updates, and the probes and evaluations between them, told alike everywhere."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st

from backend.database import Database
from backend.measurements import repository as measurements
from backend.models import Run
from backend.runs.remaining import (
    EVALUATIONS_UNDER_WAY,
    PROBES_UNDER_WAY,
    evaluations_left,
    probes_left,
)
from backend.runs.schedule import snapshot_iterations
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


@example(iterations=10, reached=0, probe_every=3, evaluate_every=3, phase="starting")
@given(
    iterations=st.integers(1, 60),
    reached=st.integers(0, 60),
    probe_every=st.integers(1, 20),
    evaluate_every=st.integers(0, 70),
    phase=st.sampled_from([None, "starting", "training", "probing", "evaluating"]),
)
def test_what_is_left_is_counted_as_if_each_were_looked_at(
    iterations: int, reached: int, probe_every: int, evaluate_every: int, phase: str | None
) -> None:
    said = {"probe": {"images": 1, "every": probe_every}, "evaluate_every": evaluate_every}
    run = Run(iterations=iterations, iteration=min(reached, iterations), phase=phase, specification=said)

    def left(due: Iterable[int], under_way: frozenset[str]) -> int:
        return sum(one > run.iteration or (phase in under_way and one == run.iteration) for one in due)

    regular = range(evaluate_every, iterations + 1, evaluate_every) if evaluate_every else ()
    assert probes_left(run) == left(snapshot_iterations(iterations, probe_every), PROBES_UNDER_WAY)
    assert evaluations_left(run) == left({*regular, iterations}, EVALUATIONS_UNDER_WAY)
