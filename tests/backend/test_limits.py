"""How much one request may ask for: beyond it there is one sentence, and never a server that stands still."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.http import limits
from backend.measurements import service
from backend.runs import contradictions


def refused(answer: Any, *words: str, status: int = 422) -> None:
    assert answer.status_code == status, answer.text
    for word in words:
        assert word in answer.json()["detail"]


def test_a_body_that_is_too_large(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 1000)
    client.headers["content-type"] = "application/json"
    refused(client.post("/api/v1/recordings", content=b"a" * 1001), "the body is larger than", status=413)
    # Without a length that says so, it is noticed as it comes.
    streamed = client.post("/api/v1/recordings", content=iter([b"a" * 600, b"a" * 600]))
    refused(streamed, "the body is larger than", status=413)
    said = client.post("/api/v1/recordings", content=b"{}", headers={"content-length": "9" * 5000})
    refused(said, "the body is larger than", status=413)


LISTS = [
    ("get", "/runs?" + "&".join(["f=ap>0"] * 21), None),
    ("get", "/runs?" + "&".join(["c=ap"] * 61), None),
    ("get", "/runs?" + "&".join(["status=queued"] * 21), None),
    ("get", "/runs?limit=1001", None),
    ("get", "/comparisons?runs=" + ",".join(map(str, range(1, 40))), None),
    ("post", "/runs/batch", {"action": "cancel", "run_ids": list(range(1, 1002))}),
    ("post", "/runs/preview", {"dataset_id": 1, "tags": ["a"] * 21}),
    ("post", "/runs/preview", {"dataset_id": 1, "training": {"milestones": list(range(1, 102))}}),
    ("post", "/runs/preview", {"dataset_id": 1, "model": {"widths": {str(k): 1 for k in range(1001)}}}),
    ("post", "/runs/preview", {"dataset_id": 1, "probe": {"maps": ["act"] * 21}}),
    ("post", "/runs/preview", {"dataset_id": 1, "probe": {"layers": "a" * 201}}),
    ("post", "/width-plans", {"run_id": 1, "also": list(range(1, 52))}),
    ("post", "/width-plans/1/runs", {"seeds": list(range(21))}),
]


@pytest.mark.parametrize(("method", "address", "body"), LISTS)
def test_lists_that_are_too_long(client: TestClient, method: str, address: str, body: Any) -> None:
    refused(client.request(method, f"/api/v1{address}", json=body))


def test_errors_are_not_longer_than_what_they_answer(client: TestClient) -> None:
    body = [{"iteration": 1, "values": {"loss": "wrong"}}] * 5000
    answer = client.put("/api/v1/runs/1/metrics", json=body)
    refused(answer)
    assert len(answer.json()["fields"]) == 50
    refused(client.post("/api/v1/runs/preview", json={"dataset_id": 1, "a" * 50_000: 1}))
    long = client.post("/api/v1/runs/preview", json={"dataset_id": 1, "a" * 50_000: 1})
    assert len(long.text) < 10_000


def test_more_snapshots_than_a_run_can_have(client: TestClient, dataset_id: int) -> None:
    training = {"iterations": 1_000_000_000}
    body = {"dataset_id": dataset_id, "training": training, "probe": {"every": 1}}
    begun = time.monotonic()
    refused(
        client.post("/api/v1/runs/preview", json=body), "would take 1,000,000,000 snapshots", "make it 10,000"
    )
    assert time.monotonic() - begun < 5
    body["probe"] = {"every": 1_000_000_000 // contradictions.MOST_SNAPSHOTS}
    assert client.post("/api/v1/runs/preview", json=body).status_code == 200


def test_more_numbers_than_one_request_may_bring(
    client: TestClient, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.runs.recorded.MOST_VALUES", 3)
    points = [{"iteration": k, "values": {"a": 1.0, "b": 2.0}} for k in range(2)]
    refused(client.put(f"{recorded.url}/metrics", json=points), "hold 4 numbers, and 3 are taken at once")
    assert client.put(f"{recorded.url}/metrics", json=points[:1]).status_code == 204


def test_a_run_that_is_too_large_for_one_answer(
    client: TestClient, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for iteration in range(3):
        recorded.measure(iteration)
    monkeypatch.setattr(service, "MOST_CELLS", 5)
    monkeypatch.setattr(service, "MOST_EIGENVALUES", 8)
    refused(
        client.get(f"{recorded.url}/dimensions?threshold=0.9"), "2 layers at 3 snapshots, which are too many"
    )
    refused(client.get(f"{recorded.url}/spectra?layer=features.0"), "3 spectra of 3 eigenvalues", "after=…")
    later = client.get(f"{recorded.url}/spectra?layer=features.0&after=0")
    assert later.json()["iterations"] == [1, 2]


def test_more_images_than_can_be_drawn_while_a_request_waits(client: TestClient) -> None:
    body = {"kind": "shapes", "name": "many", "train": 100_000, "val": 1, "size": 2048}
    refused(
        client.post("/api/v1/datasets", json=body), "100,001 images of 2048 x 2048 pixels", "take 64 or fewer"
    )


@pytest.mark.parametrize("text", [" " * 499 + "x", "a" + " " * 498 + "x", "a=" + " " * 497 + "\u200b"])
def test_a_filter_of_blanks_is_read_at_once(client: TestClient, text: str) -> None:
    begun = time.monotonic()
    refused(client.get("/api/v1/runs", params={"f": [text] * 20}))
    assert time.monotonic() - begun < 2


def test_texts_and_numbers_beyond_the_databases_columns(client: TestClient, recorded: Any) -> None:
    for address in ("/runs/99999999999", "/runs?dataset_id=99999999999", "/width-plans/99999999999999999999"):
        refused(client.get(f"/api/v1{address}"), "at most 2147483647")
    for address in ("/runs?text=a%00", f"/runs/{recorded.id}/metrics?names=a%00", "/criteria?a=%00"):
        refused(client.get(f"/api/v1{address}"), "the address holds a NUL")
    settings = {**recorded.body, "settings": {"steps": 2**64}}
    refused(client.post("/api/v1/recordings", json=settings), "a whole number beyond 64 bits")


def test_notes_are_sorted_whatever_number_they_hold(client: TestClient, recorded: Any) -> None:
    client.patch(recorded.url, json={"notes": "9" * 9000})
    assert client.get("/api/v1/runs?sort=notes").status_code == 200


def test_moments_beyond_all_calendars(client: TestClient) -> None:
    for value in ("1e300d", "99999999999d", "-99999999999d"):
        refused(client.get("/api/v1/runs", params={"f": f"created_at>{value}"}), "is no moment")


def test_a_wrong_method_is_told_the_right_ones(client: TestClient) -> None:
    answer = client.delete("/api/v1/criteria")
    refused(answer, status=405)
    assert answer.headers["allow"] == "GET"


def test_what_is_no_json_is_said_in_a_sentence(client: TestClient) -> None:
    json = {"content-type": "application/json"}
    refused(
        client.post("/api/v1/recordings", content=b'{"name": }', headers=json),
        "the body is no JSON (Expecting value at character 9)",
    )
    for body in (b"\xff", b"[" * 100_000, b'{"name": ' + b"9" * 5000 + b"}"):
        answer = client.post("/api/v1/recordings", content=body, headers=json)
        refused(answer, "the body cannot be read; send JSON in UTF-8", status=400)


def test_an_origin_that_is_no_address(client: TestClient) -> None:
    answer = client.post("/api/v1/runs/batch", json={}, headers={"origin": "http://[evil"})
    refused(answer, "another origin", status=403)
