"""A client names things, never places: what looks like a path leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend import migration
from backend.database import Database
from backend.settings import Settings
from eigenscope.server import build_app

SECRET = "what lies outside"
CLIMBING = (
    "../outside.json",
    "/etc/passwd",
    "a/../../outside.json",
    "..\\outside.json",
    "file:///etc/passwd",
    "\0",
)
DATASETS: list[dict[str, Any]] = [
    {
        "kind": "coco",
        "name": "x",
        "train": "t.json",
        "val": "v.json",
        "images": "images",
        "val_images": "images",
    },
    {"kind": "voc", "name": "x", "root": "voc", "train": "train", "val": "val"},
    {"kind": "folders", "name": "x", "train": "train", "val": "val"},
]
FIELDS = [(body, field) for body in DATASETS for field in body if field not in ("kind", "name")]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("paths")
    for name in ("outside.json", "outside.pth", "home/outside.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(SECRET)
    settings = Settings(home=folder / "home", data_root=folder / "home" / "data", _env_file=None)
    settings.data.mkdir(parents=True)
    database = Database(settings.database)
    migration.upgrade(database)
    database.dispose()
    with TestClient(build_app(settings), base_url="http://127.0.0.1") as opened:
        yield opened


@pytest.mark.parametrize("path", CLIMBING)
@pytest.mark.parametrize(
    ("body", "field"), FIELDS, ids=lambda value: value if isinstance(value, str) else value["kind"]
)
def test_a_dataset_lies_below_the_data_root(
    client: TestClient, body: dict[str, Any], field: str, path: str
) -> None:
    answer = client.post("/api/v1/datasets", json={**body, field: path})
    assert answer.status_code == 422, answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "path", [*CLIMBING, "../outside.pth", "http://evil.example/w.pth", "s3://bucket/w.pth"]
)
def test_weights_lie_below_the_data_root(client: TestClient, path: str) -> None:
    dataset = client.post("/api/v1/datasets", json={"kind": "shapes", "train": 4, "val": 2, "size": 64})
    ids = [one["id"] for one in client.get("/api/v1/datasets").json()["items"]]
    assert ids, dataset.text
    body = {"dataset_id": ids[0], "init": {"kind": "file", "file": path}}
    answer = client.post("/api/v1/runs/preview", json=body)
    assert answer.status_code == 422
    assert "init.file" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/static/{version}/../../settings.py",
        "/static/{version}/%2e%2e/%2e%2e/pyproject.toml",
        "/static/{version}/..%2f..%2fpyproject.toml",
        "/static/{version}//etc/passwd",
        "/static/%2e%2e/pyproject.toml",
        "/plotly/../../etc/passwd/plotly.min.js",
        "/api/v1/runs/1/checkpoints/..%2f..%2fx/file",
        "/api/v1/datasets/1/images/..%2f..%2f/1",
        "/api/v1/figures/..%2f..%2fsettings",
    ],
)
def test_an_address_leads_to_no_file(client: TestClient, address: str) -> None:
    page = client.get("/", headers={"Accept": "text/html"}).text
    version = page.partition("/static/")[2].partition("/")[0]
    answer = client.get(address.format(version=version))
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text
    assert "[project]" not in answer.text


def given_names(described: dict[str, Any]) -> set[str]:
    """Return the names of all fields and parameters that a client can send."""
    calls = [call for methods in described["paths"].values() for call in methods.values()]
    names = {one["name"] for call in calls for one in call.get("parameters", ())}
    waiting, seen = [call.get("requestBody", {}) for call in calls], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            names |= set(one.get("properties", ()))
            reference = str(one.get("$ref", "")).rpartition("/")[2]
            if reference and reference not in seen:
                seen.add(reference)
                waiting.append(described["components"]["schemas"][reference])
            waiting.extend(one.values())
    return names


def test_no_call_takes_an_address(client: TestClient) -> None:
    """Nothing that a client sends is ever fetched: no field or parameter is a URL, a URI or a host."""
    names = given_names(client.get("/openapi.json").json())
    assert {"train", "backbone", "layer", "run_id"} <= names
    words = {word for name in names for word in name.lower().replace("-", "_").split("_")}
    assert not words & {"url", "uri", "href", "host", "endpoint", "webhook", "callback", "path", "directory"}


def test_it_would_read_what_lies_inside(client: TestClient) -> None:
    """The refusals above are of the place: a name below the root is looked for there."""
    answer = client.post("/api/v1/datasets", json={**DATASETS[0], "name": "inside"})
    assert answer.status_code == 422
    assert "data/images is no folder" in answer.text
