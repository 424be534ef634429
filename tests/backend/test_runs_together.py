"""Runs that are launched together: all are queued or none is."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.broker import Broker
from backend.runs import service
from backend.runs.specification import RunSpecification

TOGETHER = "/api/v1/runs/together"


@pytest.fixture
def pair(specification: RunSpecification) -> list[dict[str, Any]]:
    one = specification.model_dump(mode="json")
    return [one | {"name": "I", "tags": ["I"]}, one | {"name": "S", "init": {"kind": "scratch"}}]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the runs of which workers were told, as they are told."""
    found: list[int] = []
    monkeypatch.setattr(Broker, "ring", lambda _self, run_id: found.append(run_id))
    return found


def stored(client: TestClient) -> int:
    return int(client.get("/api/v1/runs").json()["total"])


def test_both_are_queued_in_the_order_asked_for(
    client: TestClient, pair: list[dict[str, Any]], rung: list[int]
) -> None:
    answer = client.post(TOGETHER, json={"runs": pair})
    assert answer.status_code == 201, answer.text
    launched = answer.json()
    assert [run["name"] for run in launched] == ["I", "S"]
    assert {run["status"] for run in launched} == {"queued"}
    assert rung == [run["id"] for run in launched]
    assert stored(client) == 2


def test_where_the_second_is_refused_nothing_is_left(
    client: TestClient, pair: list[dict[str, Any]], rung: list[int]
) -> None:
    pair[1]["init"] = {"kind": "run", "run_id": 99}
    answer = client.post(TOGETHER, json={"runs": pair})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("run 2 of 2: init.run_id: there is no run 99")
    assert answer.json()["detail"].endswith("; none is queued")
    assert stored(client) == 0
    assert rung == []


def test_where_the_second_fails_unforeseen_nothing_is_left(
    client: TestClient, pair: list[dict[str, Any]], rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, calls = service.launch, []

    def fail_later(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 1:
            raise RuntimeError("the disk is full")
        return launch(*arguments)

    monkeypatch.setattr(service, "launch", fail_later)
    with pytest.raises(RuntimeError, match="disk is full"):
        client.post(TOGETHER, json={"runs": pair})
    assert len(calls) == 2
    assert stored(client) == 0
    assert rung == []


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"training": {"iterations": 5, "warmup": 9}}, "runs.1.training.warmup", "shorten the warm-up"),
        ({"init": {"kind": "file", "file": 3}}, "runs.1.init.file", "is not text"),
        ({"training": {"evaluate_every": 5}}, "runs.1.training.evaluate_every", "evaluate_every is meant"),
    ],
)
def test_an_error_names_the_run_and_its_field(
    client: TestClient, pair: list[dict[str, Any]], change: dict[str, Any], field: str, sentence: str
) -> None:
    answer = client.post(TOGETHER, json={"runs": [pair[0], pair[1] | change]})
    assert answer.status_code == 422
    (error,) = answer.json()["fields"]
    assert error["field"] == field
    assert sentence in error["message"]
    assert stored(client) == 0


@pytest.mark.parametrize("number", [0, 21])
def test_there_are_some_and_not_too_many(client: TestClient, pair: list[dict[str, Any]], number: int) -> None:
    assert client.post(TOGETHER, json={"runs": pair[:1] * number}).status_code == 422
    assert stored(client) == 0
