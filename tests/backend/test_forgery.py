"""What a page elsewhere can make a browser send changes nothing."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

HERE = "http://127.0.0.1:8000"
CANCEL = "/api/v1/runs/1/cancel"
NOT_THERE = 404
"""The run does not exist: the request was let through."""


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1", "http://127.0.0.1:8001", "null"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_origin_is_refused(client: TestClient, origin: str, method: str) -> None:
    answer = client.request(method, CANCEL, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_another_site_is_refused_without_an_origin(client: TestClient, site: str) -> None:
    assert client.post(CANCEL, headers={"Sec-Fetch-Site": site}).status_code == 403


def test_our_own_pages_and_programs_are_let_through(client: TestClient) -> None:
    assert client.post(CANCEL).status_code == NOT_THERE
    own = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
    assert client.post(CANCEL, headers=own).status_code == NOT_THERE


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "TEXT/PLAIN"],
)
@pytest.mark.parametrize("body", [b"", b'{"kind": "shapes"}'])
def test_what_a_form_can_send_is_refused(client: TestClient, kind: str, body: bytes) -> None:
    for address in (CANCEL, "/api/v1/datasets", "/api/v1/runs"):
        answer = client.post(address, content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


def test_a_body_of_no_kind_is_refused(client: TestClient) -> None:
    assert client.post("/api/v1/datasets", content=b'{"kind": "shapes"}').status_code == 415


def test_reading_needs_none_of_it(client: TestClient) -> None:
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.get("/api/v1/runs", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers, "the page elsewhere may not read it"
