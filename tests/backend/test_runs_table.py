"""The table of runs: any column, filtered, sorted, grouped, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.database import Database
from backend.measurements import metric_summaries
from backend.measurements import repository as measurements
from backend.models import Run
from backend.runs.specification import RunSpecification
from backend.runs.table.query import TableQuery, table
from backend.runs.table.window import ORDERS, Window

Add = Callable[..., int]


@pytest.fixture
def add(database: Database, specification: RunSpecification) -> Add:
    """Return a function that adds a run: columns by name, settings dotted with `__`, metrics as points."""

    def adding(name: str, settings: dict[str, Any] | None = None, **columns: Any) -> int:
        said = specification.model_dump(mode="json")
        for path, value in (settings or {}).items():
            *parts, last = path.split(".")
            inner = said
            for part in parts:
                inner = inner[part]
            inner[last] = value
        values = {"status": "succeeded", "iterations": 100, "dataset_id": said["dataset_id"]} | columns
        points = values.pop("points", [])
        with database.writing() as session:
            run = Run(name=name, specification=said, **values)
            session.add(run)
            session.flush()
            measurements.write_metrics(session, run.id, points)
            return run.id

    return adding


@pytest.fixture
def names(client: TestClient) -> Callable[..., list[str]]:
    """Return a function that asks for a table and gives its runs' names."""

    def asking(**query: Any) -> list[str]:
        answer = client.get("/api/v1/runs", params=query)
        assert answer.status_code == 200, answer.text
        return [run["name"] for run in answer.json()["items"]]

    return asking


def refusal(client: TestClient, **query: Any) -> str:
    answer = client.get("/api/v1/runs", params=query)
    assert answer.status_code == 422
    return str(answer.json()["detail"])


@pytest.fixture
def three(add: Add) -> None:
    loss = [(1, "loss", 3.0), (2, "loss", 1.0), (3, "loss", 2.0)]
    add("run 2", {"training.lr": 0.01, "training.seed": 1}, ap=0.3, tags=["é", "a,b"], points=loss)
    add("run 10", {"training.lr": 0.1, "training.seed": 2}, ap=0.5, notes="warm-up too short", macs=2_500_000)
    add("Run 1", {"training.lr": 1e-4, "training.seed": 1}, status="failed", error="no", tags=["é"])


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["Run 1", "run 2", "run 10"]),
        ("-name", ["run 10", "run 2", "Run 1"]),
        ("ap", ["run 2", "run 10", "Run 1"]),
        ("-ap", ["run 10", "run 2", "Run 1"]),
        ("training.lr", ["Run 1", "run 2", "run 10"]),
        ("-training.lr", ["run 10", "run 2", "Run 1"]),
        ("loss:min", ["run 2", "Run 1", "run 10"]),
        ("-id", ["Run 1", "run 10", "run 2"]),
        ("notes", ["run 10", "Run 1", "run 2"]),
    ],
)
@pytest.mark.usefixtures("three")
def test_any_column_sorts_and_what_is_missing_is_last(
    names: Callable[..., list[str]], sort: str, expected: list[str]
) -> None:
    assert names(sort=sort) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["ap>=0.3"], {"run 2", "run 10"}),
        (["ap>30%"], {"run 10"}),
        (["ap>40"], {"run 10"}),
        (["ap>1"], {"run 2", "run 10"}),
        (["ap="], {"Run 1"}),
        (["ap!="], {"run 2", "run 10"}),
        (["training.lr=1e-2"], {"run 2"}),
        (["training.lr!=0.01"], {"run 10", "Run 1"}),
        (["training.lr<0.1", "training.seed=1"], {"run 2", "Run 1"}),
        (["training.flip=yes", "status=FAILED"], {"Run 1"}),
        (["loss:max>=3"], {"run 2"}),
        (["loss:last=2"], {"run 2"}),
        (["loss:min<1"], set()),
        (["tags=É"], {"run 2", "Run 1"}),
        (["tags~a,"], {"run 2"}),
        (["tags="], {"run 10"}),
        (["notes~WARM"], {"run 10"}),
        (["notes!~warm"], {"run 2", "Run 1"}),
        (["macs>2M"], {"run 10"}),
        (["created_at>1h"], {"run 2", "run 10", "Run 1"}),
        (["created_at<2020-01-01"], set()),
        (["dataset=cells", "model.backbone=resnet18", "name~10"], {"run 10"}),
    ],
)
@pytest.mark.usefixtures("three")
def test_any_column_filters(names: Callable[..., list[str]], filters: list[str], expected: set[str]) -> None:
    assert set(names(f=filters)) == expected


@pytest.mark.usefixtures("three")
def test_words_are_found_in_names_tags_notes_and_ids(names: Callable[..., list[str]]) -> None:
    assert names(text="SHORT run") == ["run 10"]
    assert names(text="é") == ["Run 1", "run 2"]
    assert names(text="#2") == ["run 10"]
    assert names(tag="a,b") == ["run 2"]
    assert names(tag="a") == []
    assert names(status=["failed", "queued"]) == ["Run 1"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"sort": "colour"}, "there is no column 'colour'"),
        ({"c": "training"}, "there is no column 'training'"),
        ({"by": "settings.lr"}, "there is no column"),
        ({"f": "ap"}, "has no comparison"),
        ({"f": "ap>much"}, "AP: 'much' is no number to compare with"),
        ({"f": "created_at>soon"}, "'soon' is no moment"),
        ({"f": "ap>1e999"}, "is no number"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(
    client: TestClient, query: dict[str, str], sentence: str
) -> None:
    assert sentence in refusal(client, **query)


@pytest.mark.usefixtures("three")
def test_columns_come_with_each_run(client: TestClient) -> None:
    keys = ["training.lr", "loss:min", "tags", "model.widths"]
    run = client.get("/api/v1/runs", params={"c": keys, "text": "#1"}).json()["items"][0]
    assert run["values"] == {"training.lr": 0.01, "loss:min": 1.0, "tags": ["é", "a,b"], "model.widths": None}
    assert run["name"] == "run 2"
    assert client.get("/api/v1/runs").json()["items"][0]["values"] == {}


@pytest.mark.usefixtures("three")
def test_every_listed_column_can_be_asked_for(client: TestClient) -> None:
    listed = client.get("/api/v1/runs/columns").json()
    keys = [column["key"] for column in listed]
    assert {"ap", "loss:last", "loss:min", "loss:max", "training.lr", "init.kind", "notes"} <= set(keys)
    assert len(keys) == len(set(keys))
    for key in keys:
        assert client.get("/api/v1/runs", params={"c": key, "sort": key, "by": key}).status_code == 200, key


def test_a_recorded_runs_own_settings_are_columns_even_under_a_fields_name(
    app: FastAPI, client: TestClient
) -> None:
    own = {"ap": "mine", "a\"b 'é'": 3, "x:min": 4, "training.lr": 0.5}
    with app.state.database.writing() as session:
        said = {"init": {"kind": "unknown"}, "settings": own}
        session.add(Run(name="loop", specification=said, origin="recorded", iterations=0, status="succeeded"))
    listed = {column["key"] for column in client.get("/api/v1/runs/columns").json()}
    keys = ["setting:ap", "a\"b 'é'", "setting:x:min", "training.lr"]
    assert set(keys) <= listed
    (run,) = client.get("/api/v1/runs", params={"c": keys, "f": "a\"b 'é'=3"}).json()["items"]
    assert list(run["values"].values()) == ["mine", 3, 4, 0.5]


@pytest.mark.usefixtures("three")
def test_groups_have_counts_and_mean_ap(client: TestClient) -> None:
    def groups(by: str) -> list[tuple[Any, int, Any]]:
        found = client.get("/api/v1/runs", params={"by": by}).json()["groups"]
        return [(group["value"], group["runs"], group["mean_ap"]) for group in found]

    assert groups("training.seed") == [(1, 2, 0.3), (2, 1, 0.5)]
    assert groups("status") == [("failed", 1, None), ("succeeded", 2, 0.4)]
    assert groups("tags") == [("a,b", 1, 0.3), ("é", 2, 0.3), (None, 1, 0.5)]
    assert groups("dataset") == [("cells", 3, 0.4)]
    assert client.get("/api/v1/runs").json()["groups"] is None


@pytest.mark.usefixtures("three")
def test_groups_are_of_all_runs_that_fit_and_not_of_the_page(client: TestClient) -> None:
    page = client.get("/api/v1/runs", params={"by": "status", "limit": 1, "f": "training.seed=1"}).json()
    assert len(page["items"]) == 1
    assert page["total"] == 2
    assert sum(group["runs"] for group in page["groups"]) == 2


def test_the_file_holds_all_that_fits_and_no_formula(client: TestClient, add: Add) -> None:
    add("=1+1", ap=0.5, notes="@SUM(A1)", tags=["-x", 'q"'], points=[(1, "loss", -2.5)])
    add("plain", notes="two\nlines")
    answer = client.get("/api/v1/runs.csv", params={"c": ["ap", "notes", "tags", "loss:min"], "sort": "id"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows == [
        ["id", "name", "tags", "ap [0-1]", "notes", "loss:min"],
        ["1", "'=1+1", "'-x, q\"", "0.5", "'@SUM(A1)", "-2.5"],
        ["2", "plain", "", "", "two\nlines", ""],
    ]
    fitting = client.get("/api/v1/runs.csv", params={"f": "ap>0.4"}).text
    assert "=1+1" in fitting
    assert "plain" not in fitting


def test_the_file_has_a_classifiers_top_1_beside_ap_and_says_units(client: TestClient, add: Add) -> None:
    add("detector", ap=0.3, tags=["a"])
    add("classifier", top1=0.9)
    header, *rows = csv.reader(io.StringIO(client.get("/api/v1/runs.csv", params={"sort": "id"}).text))
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(one["ap [0-1]"], one["top1 [0-1]"], one["tags"]) for one in found] == [
        ("0.3", "", "a"),
        ("", "0.9", ""),
    ]
    assert "duration [s]" in header


def test_long_answers_are_compressed_for_who_can_take_that(client: TestClient, add: Add) -> None:
    for k in range(3):
        add(f"run {k}")
    small = client.get("/api/v1/runs", headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/api/v1/runs", headers={"Accept-Encoding": "br"}).headers


def test_summaries_follow_the_points_and_what_a_resumed_run_overwrites(database: Database, add: Add) -> None:
    run = add("run", points=[(1, "loss", 5.0), (2, "loss", 1.0), (2, "lr", 0.1)])

    def write(*points: tuple[int, str, float]) -> tuple[float | None, ...]:
        with database.writing() as session:
            measurements.write_metrics(session, run, points)
            return tuple(metric_summaries.of_metrics(session, ["loss"])["loss"][run])

    assert write((3, "loss", 4.0), (4, "loss", 6.0)) == (6.0, 1.0, 6.0)
    assert write((5, "loss", float("nan"))) == (None, 1.0, 6.0)
    assert write((2, "loss", 3.0)) == (None, 3.0, 6.0), "the lowest was overwritten"
    assert write((4, "loss", 2.0), (5, "loss", 2.5)) == (2.5, 2.0, 5.0)
    assert write((6, "loss", 7.0), (6, "lr", 0.2)) == (7.0, 2.0, 7.0)
    with database.reading() as session:
        assert metric_summaries.names(session) == ["loss", "lr"]


def test_a_retried_run_has_no_old_summaries(client: TestClient, database: Database, add: Add) -> None:
    run = add("run", status="failed", points=[(1, "loss", 5.0)])
    assert client.post(f"/api/v1/runs/{run}/retry").status_code == 200
    with database.reading() as session:
        assert metric_summaries.names(session) == []


@pytest.fixture
def many(add: Add) -> None:
    """Add runs with equal and missing values in every column that the database orders."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    for k in range(12):
        part = k % 4
        numbers: dict[str, Any] = dict.fromkeys(("ap", "ap50", "mask_ap", "top1"), part / 10)
        numbers |= dict.fromkeys(("parameters", "backbone_parameters", "macs"), 10 + part)
        numbers |= {"seconds_per_iteration": part / 3, "started_at": begun + timedelta(hours=part)}
        numbers |= {"finished_at": begun + timedelta(days=part)} if part else {}
        missing = dict.fromkeys(numbers) if part == 3 else numbers
        status = ("succeeded", "queued", "failed")[k % 3]
        add(f"run {k}", status=status, iteration=part, attempt=part, **missing)


@pytest.mark.parametrize("key", sorted(ORDERS))
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_database_orders_as_the_table_does(database: Database, many: None, key: str, sign: str) -> None:
    query = TableQuery(sort=sign + key, status=("succeeded", "queued"))
    with database.reading() as session:
        whole = table(session, query)
        parts = [table(session, query, Window(3, offset)) for offset in (0, 3, 6)]
        assert [row.run.id for part in parts for row in part.rows] == [row.run.id for row in whole.rows]
        for part in parts:
            assert (part.total, part.columns) == (len(whole.rows), whole.columns)
            assert part.summed == whole.summed


def test_a_window_reads_no_more_of_the_other_runs_than_their_ids(database: Database, many: None) -> None:
    with database.reading() as session:
        found = table(session, TableQuery(), Window(5, whole=frozenset({11, 2})))
    assert [row.run.id for row in found.rows] == [12, 11, 10, 9, 8]
    assert [getattr(row.run, "name", None) for row in found.rows] == [None, "run 10", None, None, None]
    assert found.total == 12


def test_a_window_of_what_the_database_cannot_judge(client: TestClient, many: None) -> None:
    query = {"text": "run", "sort": "name", "limit": 4}
    first = client.get("/api/v1/runs", params=query).json()
    second = client.get("/api/v1/runs", params=query | {"cursor": first["next_cursor"]}).json()
    listed = [run["name"] for page in (first, second) for run in page["items"]]
    assert listed == [f"run {k}" for k in range(8)]
    assert first["total"] == second["total"] == 12
