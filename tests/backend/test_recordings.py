"""Recorded runs over HTTP: no worker trains them, their own loop tells of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.http import limits
from backend.measurements import recording
from backend.runs.specification import RunSpecification


def test_a_recorded_run_is_shown_like_any_other(recorded: Any) -> None:
    shown = recorded.shown()
    assert (shown["origin"], shown["status"], shown["phase"]) == ("recorded", "running", "recording")
    assert shown["dataset"] is None
    assert (shown["architecture"], shown["backbone"], shown["norm"]) == (None, None, None)
    assert shown["init"] == "scratch"
    assert shown["specification"] == {"init": {"kind": "scratch"}, "settings": recorded.body["settings"]}
    assert shown["progress"]["iterations"] == 40
    assert shown["actions"] == ["cancel", "delete"]
    layers = recorded.client.get(f"{recorded.url}/layers").json()
    assert layers == [{**layer, "positions": "image"} for layer in recorded.body["layers"]]


def test_it_stands_in_lists_beside_launched_runs(
    client: TestClient, recorded: Any, specification: RunSpecification
) -> None:
    assert client.post("/api/v1/runs", json=specification.model_dump(mode="json")).status_code == 201
    found = client.get("/api/v1/runs").json()
    assert [run["origin"] for run in found["items"]] == ["launched", "recorded"]
    assert client.get("/api/v1/runs?tag=mine").json()["total"] == 1
    only = client.get(f"/api/v1/runs?dataset_id={specification.dataset_id}").json()
    assert [run["origin"] for run in only["items"]] == ["launched"]
    assert 'eigenscope_runs{status="running"} 1' in client.get("/api/v1/metrics").text
    assert [run["origin"] for run in client.get("/api/v1/queue").json()] == ["launched"]


def test_spectra_come_back_and_the_run_moves(client: TestClient, recorded: Any) -> None:
    for iteration in (0, 10):
        assert recorded.measure(iteration).status_code == 204
    found = client.get(f"{recorded.url}/spectra?layer=features.0").json()
    assert found["iterations"] == [0, 10]
    sent = recorded.record("features.0", 0).eigenvalues
    np.testing.assert_array_equal(np.array(found["eigenvalues"], np.float32)[0], sent)
    assert client.get(f"{recorded.url}/dimensions").json()["values"] == [[3, 3], [2, 2]]
    shown = recorded.shown()
    assert shown["progress"]["iteration"] == 10
    assert (shown["summary"]["snapshots"], shown["summary"]["layers"]) == (2, 2)


def test_several_iterations_may_come_at_once(recorded: Any) -> None:
    together = [recorded.record(layer, i) for i in (0, 3, 7) for layer in recorded.widths]
    assert recorded.put(recording.encode(together)).status_code == 204
    assert recorded.iterations("features.1") == [0, 3, 7]


def test_writing_again_replaces_and_never_doubles(client: TestClient, recorded: Any) -> None:
    for scale in (1.0, 1.0, 4.0):
        assert recorded.measure(5, scale).status_code == 204
    found = client.get(f"{recorded.url}/spectra?layer=features.1").json()
    assert (found["iterations"], found["eigenvalues"]) == ([5], [[8.0, 2.0]])
    assert recorded.measure(2).status_code == 204
    assert recorded.shown()["progress"]["iteration"] == 5


def test_nothing_is_half_written(recorded: Any) -> None:
    good, bad = recorded.record("features.0", 1), recorded.record("features.1", 1)
    answer = recorded.put(recording.encode([good, replace(bad, layer="features.9")]))
    assert answer.status_code == 422
    assert "there is no layer 'features.9'" in answer.json()["detail"]
    assert recorded.iterations() == []
    assert recorded.shown()["progress"]["iteration"] == 0


def test_a_body_that_is_no_stream_is_one_sentence(recorded: Any) -> None:
    answer = recorded.put(b"[1, 2, 3]")
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid_input"
    assert "is no Arrow stream" in answer.json()["detail"]


def test_a_body_that_is_too_large_is_413(recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 1000)
    # Without a Content-Length, as an iterator's body has none, only counting tells.
    for content in (recorded.snapshot(0) + bytes(1000), iter([recorded.snapshot(0), bytes(1000)])):
        answer = recorded.put(content)
        assert answer.status_code == 413, answer.text
        assert answer.json()["error"] == "too_large"
        assert "send it in parts" in answer.json()["detail"]


def test_scalars_of_one_iteration_or_of_many(client: TestClient, recorded: Any) -> None:
    one = {"iteration": 1, "values": {"loss": 2.5, "lr": 0.1}}
    many = [{"iteration": i, "values": {"loss": None if i == 2 else i}} for i in (2, 3)]
    again = [{"iteration": 1, "values": {"loss": 7.0}}, {"iteration": 1, "values": {"loss": 8.0}}]
    for body in (one, many, again):
        answer = client.put(f"{recorded.url}/metrics", json=body)
        assert answer.status_code == 204, answer.text
    found = client.get(f"{recorded.url}/metrics?names=loss").json()["metrics"]["loss"]
    assert found == {"iterations": [1, 2, 3], "values": [8.0, None, 3.0]}
    assert recorded.shown()["progress"]["iteration"] == 3


def test_the_newest_ap_stands_in_the_list_of_runs(client: TestClient, recorded: Any) -> None:
    for iteration, ap in ((10, 0.2), (20, 0.3), (10, 0.1), (30, None)):
        body = {"iteration": iteration, "values": {"ap": ap, "loss": 1.0}}
        assert client.put(f"{recorded.url}/metrics", json=body).status_code == 204
    run = client.get(recorded.url).json()
    assert (run["summary"]["ap"], run["progress"]["iteration"]) == (0.3, 30)


BAD_POINTS: list[tuple[Any, str]] = [
    ({"iteration": -1, "values": {"loss": 1}}, "iteration: must be at least 0"),
    ({"iteration": 2**31, "values": {"loss": 1}}, "at most 2147483647"),
    ({"iteration": 1, "values": {}}, "at least 1 item"),
    ({"iteration": 1, "values": {"loss": "low"}}, "`low` is not a number"),
    ({"iteration": 1, "values": {"lo\0ss": 1}}, "printable"),
    ({"iteration": 1, "values": {"x" * 101: 1}}, "at most 100 characters"),
    ({"iteration": 1}, "values: is missing"),
    ([], "at least 1 item"),
    ("loss", "not a set of names"),
]


def test_scalars_that_are_none_are_refused(client: TestClient, recorded: Any) -> None:
    for body, sentence in BAD_POINTS:
        answer = client.put(f"{recorded.url}/metrics", json=body)
        assert answer.status_code == 422
        assert sentence in answer.json()["detail"]
    assert client.get(f"{recorded.url}/metrics").json() == {"metrics": {}}


def one_layer(**changes: Any) -> dict[str, Any]:
    return {"layers": [{"name": "a", "map": "conv", "stage": "b", "width": 1, "order": 0, **changes}]}


BAD_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name: the text must be printable, in one line and not blank"),
    ({"name": "a\nb"}, "name: the text must be printable"),
    ({"name": "x" * 201}, "name: must have at most 200"),
    ({"iterations": -1}, "iterations: "),
    ({"init": {"kind": "magic"}}, "init.kind: "),
    ({"init": "scratch"}, "init: "),
    ({"colour": "red"}, "colour: there is no such field"),
    ({"settings": [1]}, "settings must be names with values"),
    ({"settings": {"layers": [1, 2]}}, "settings: 'layers' is a list; a setting is text, a number"),
    ({"settings": {"a": {"b": 1}}}, "settings: 'a' is a dict; a setting is text, a number"),
    ({"settings": {"a": "\0"}}, "the text holds a NUL"),
    ({"settings": {f"s{k}": k for k in range(501)}}, "at most 500"),
    ({"layers": []}, "layers: "),
    ({"layers": 2 * one_layer()["layers"]}, "layers names 'a' 2 times"),
    (one_layer(order=1), "layers must be numbered by order from 0 without gaps"),
    (one_layer(width=0), "must be at least 1"),
    (one_layer(map="A map"), "pattern"),
    (one_layer(stage="x" * 201), "at most 200"),
    (one_layer(name="layer\0"), "printable"),
]


def test_a_recording_that_cannot_be_is_refused(client: TestClient) -> None:
    for change, sentence in BAD_CHANGES:
        body = {"name": "a", **one_layer(), **change}
        answer = client.post("/api/v1/recordings", json=body)
        assert answer.status_code == 422, answer.text
        assert sentence in answer.json()["detail"]
    assert client.get("/api/v1/runs").json()["total"] == 0


BAD_JSON = [
    ('"name": "a", "settings": {"lr": Infinity}', "'lr' is not finite"),
    (r'"name": "\ud800"', ""),
    (r'"name": "a", "settings": {"x": "\ud800"}', ""),
    (r'"name": "a", "tags": ["\ud800"]', ""),
]


def test_what_json_or_the_database_cannot_hold_is_refused(client: TestClient, recorded: Any) -> None:
    headers = {"content-type": "application/json"}
    layer = '{"name": "a", "map": "conv", "stage": "b", "width": 1, "order": 0}'
    for part, sentence in BAD_JSON:
        content = f'{{{part}, "layers": [{layer}]}}'
        answer = client.post("/api/v1/recordings", content=content, headers=headers)
        assert answer.status_code == 422
        assert sentence in answer.json()["detail"]
    content = '{"iteration": 1, "values": {"loss": NaN}}'
    answer = client.put(f"{recorded.url}/metrics", content=content, headers=headers)
    assert answer.status_code == 422
    assert "finite number" in answer.json()["detail"]
