"""From every migration there ever was, with data in every table, to the newest: all is there and can be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient
from sqlalchemy import MetaData, Table, insert, inspect, text

from backend import migration
from backend.app import create_app
from backend.database import Database
from backend.errors import Conflict
from backend.keeping.backups import back_up
from backend.models.base import now
from backend.settings import Settings


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(migration.MIGRATIONS))
    return made


REVISIONS = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()][::-1]
SPECTRUM = np.array([2.5, 0.5, 1e-4], "<f4")
RUN = {
    "tags": ["a", "b"],
    "notes": "words",
    "archived": False,
    "specification": {"dataset_id": 1, "init": {"kind": "scratch"}, "training": {"iterations": 100}},
    "origin": "launched",
    "dataset_id": 1,
    "status": "succeeded",
    "phase": "",
    "stop_requested": False,
    "priority": 3,
    "attempt": 1,
    "revision": 7,
    "iteration": 100,
    "iterations": 100,
    "ap": 0.5,
    "macs": 2**40,
    "created_at": now(),
    "queued_at": now(),
    "finished_at": now(),
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "datasets": [
        {
            "id": 1,
            "name": "cells",
            "kind": "coco",
            "train": "/data/train.json",
            "val": "/data/val.json",
            "images": "/data/images",
            "categories": [{"id": 1, "name": "cell"}],
            "has_masks": True,
            "counts": {"train": {"images": 9, "annotations": 20}, "val": {"images": 3, "annotations": 5}},
            "created_at": now(),
        }
    ],
    "dataset_images": [{"dataset_id": 1, "split": "val", "image_id": 2**40, "file_name": "a.png"}],
    "runs": [{**RUN, "id": 1, "name": "first"}, {**RUN, "id": 2, "name": "child", "parent_run_id": 1}],
    "layers": [{"run_id": 1, "order": 0, "name": "layer1.0", "map": "block", "stage": "layer1", "width": 3}],
    "spectra": [{"run_id": 1, "layer": 0, "iteration": 5, "eigenvalues": SPECTRUM.tobytes()}],
    "spectrum_summaries": [
        {
            "run_id": 1,
            "layer": 0,
            "iteration": 5,
            "dimensionality": 2,
            "trace": 3.0001,
            "lambda_1": 2.5,
            "images": 3,
            "positions": 2**40,
        }
    ],
    "metrics": [
        {"run_id": 1, "name": "loss", "iteration": 1, "value": 0.1 + 0.2},
        {"run_id": 1, "name": "loss", "iteration": 2, "value": None},
    ],
    "metric_summaries": [
        {
            "run_id": 1,
            "name": "loss",
            "last_iteration": 2,
            "last": None,
            "lowest": 0.1 + 0.2,
            "highest": 0.1 + 0.2,
        }
    ],
    "log_lines": [{"run_id": 1, "number": 1, "text": "ünï words"}],
    "checkpoints": [
        {
            "run_id": 1,
            "iteration": 100,
            "file": "runs/1/checkpoint-00000100.pt",
            "bytes": 9,
            "kept_as": ["last"],
            "created_at": now(),
        }
    ],
    "predictions": [
        {
            "run_id": 1,
            "iteration": 100,
            "image_id": 7,
            "data": {"file_name": "a", "width": 3, "height": 2, "objects": 0, "truth": [], "found": []},
        }
    ],
    "width_plans": [
        {"id": 1, "run_id": 1, "request": {}, "plan": {}, "specification": {}, "created_at": now()}
    ],
    "width_plan_runs": [{"run_id": 2, "plan_id": 1, "role": "selected"}],
    "workers": [
        {"name": "w", "host": "h", "devices": [], "run_id": None, "started_at": now(), "seen_at": now()}
    ],
    "tokens": [
        {
            "id": 1,
            "name": "ann",
            "key": "k",
            "digest": "d",
            "read_only": True,
            "created_at": now(),
            "used_at": None,
        }
    ],
    "browser_sessions": [
        {"key": "s", "digest": "d", "token_id": 1, "proof": "p", "created_at": now(), "expires_at": now()}
    ],
    "run_watches": [{"run_id": 1, "mark": "m", "since": now(), "told": True}],
    "ingest": [{"run_id": 1, "spectra": 2, "points": 3, "probes": 1, "probe_seconds": 0.5}],
    "webhook_events": [
        {
            "id": 1,
            "key": "e",
            "event": "run.succeeded",
            "run_id": 1,
            "facts": {},
            "handed_out": True,
            "created_at": now(),
        }
    ],
    "webhook_deliveries": [
        {
            "id": 1,
            "event_id": 1,
            "receiver": "r",
            "state": "delivered",
            "attempts": 1,
            "next_at": now(),
            "problem": None,
        }
    ],
}
"""A row or two of every table, as the newest migration has it; an earlier one takes the columns that it knows."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'old.db'}"
        else:
            url = stack.enter_context(request.getfixturevalue("new_postgres")())
        opened = Database(url)
        yield opened
        opened.dispose()


def fill(database: Database, revision: str) -> dict[str, list[dict[str, Any]]]:
    """Bring an empty database to an earlier migration and fill every table of it; return its rows."""
    # SQLite replaces a table by its copy, which foreign keys would not let it.
    with migration._without_foreign_keys(database) as connection, connection.begin():
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, revision)
    with database.engine.begin() as connection:
        there = MetaData()
        there.reflect(connection)
        for name, rows in ROWS.items():
            if name in there.tables:
                table = there.tables[name]
                known = [{k: v for k, v in row.items() if k in table.columns} for row in rows]
                for row in known:
                    connection.execute(insert(table), row)
        if connection.dialect.name == "postgresql":
            for name in ("datasets", "runs", "width_plans"):
                if name in there.tables:
                    connection.execute(text(f"SELECT setval('{name}_id_seq', 40)"))
        else:
            connection.execute(text("UPDATE sqlite_sequence SET seq = 40 WHERE name = 'runs'"))
        names = set(there.tables) - {"alembic_version"}
        assert names <= set(ROWS), "a new table wants its rows here"
    return rows_of(database, sorted(names))


def rows_of(database: Database, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    with database.engine.connect() as connection:
        found = {}
        for name in names:
            table = Table(name, MetaData(), autoload_with=connection)
            query = table.select().order_by(*table.primary_key.columns)
            found[name] = [dict(row) for row in connection.execute(query).mappings()]
        return found


def test_every_table_of_today_has_rows_here(empty: Database) -> None:
    migration.upgrade(empty)
    assert set(inspect(empty.engine).get_table_names()) - {"alembic_version"} == set(ROWS)


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_was_stored_then_is_there_now_and_can_be_read(
    empty: Database, tmp_path: Path, revision: str
) -> None:
    before = fill(empty, revision)
    migration.upgrade(empty)
    assert migration.current(empty) == migration.newest()
    assert migration.differences(empty) == []
    after = rows_of(empty, list(before))
    for name, rows in before.items():
        assert len(after[name]) == len(rows) > 0, name
        for old, new in zip(rows, after[name], strict=True):
            assert {column: new[column] for column in old} == old, name
    read(empty, tmp_path)


def read(database: Database, tmp_path: Path) -> None:
    """Ask today's program for everything, and let it write the next run and a backup."""
    home = tmp_path / "home"
    (home / "runs").mkdir(parents=True)
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings(home=home, database_url=url, token="secret", _env_file=None)
    known = {"Authorization": "Bearer secret"}
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000", headers=known) as client:

        def get(path: str) -> Any:
            answer = client.get(f"/api/v1{path}")
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        run = get("/runs/1")
        assert (run["name"], run["tags"], run["summary"]["ap"]) == ("first", ["a", "b"], 0.5)
        assert run["dataset"] == {"id": 1, "name": "cells"}
        assert get("/runs/2")["parent_run_id"] == 1
        assert len(get("/runs")["items"]) == 2
        spectra = get("/runs/1/spectra?layer=layer1.0")
        assert spectra["eigenvalues"] == [[float(value) for value in SPECTRUM]]
        assert get("/runs/1/dimensions")["values"] == [[2]]
        metrics = get("/runs/1/metrics")
        assert "loss" in str(metrics)
        assert "ünï words" in str(get("/runs/1/logs"))
        assert get("/datasets/1")["name"] == "cells"
    with database.writing() as session:
        new = (
            "INSERT INTO runs (name, tags, specification, status, phase, stop_requested, priority, attempt, "
        )
        new += "revision, iteration, iterations, created_at, queued_at) SELECT 'next', tags, specification, status, "
        new += "phase, stop_requested, priority, attempt, revision, iteration, iterations, created_at, queued_at "
        session.execute(text(new + "FROM runs WHERE id = 1"))
        # An id that was given before the upgrade is not given again after it.
        assert session.scalar(text("SELECT id FROM runs WHERE name = 'next'")) == 41
    assert back_up(database, settings, tmp_path / "b.zip", "0.1.0").runs == 3


def test_a_newer_database_is_refused_by_all_and_left_alone(empty: Database) -> None:
    migration.upgrade(empty)
    with empty.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = inspect(empty.engine).get_table_names()
    for act in (migration.upgrade, migration.demand_newest):
        with pytest.raises(
            Conflict, match=r"made by a newer Eigenscope \(migration 9999.*upgrade the program"
        ):
            act(empty)
    assert inspect(empty.engine).get_table_names() == before
    assert migration.current(empty) == "9999"
