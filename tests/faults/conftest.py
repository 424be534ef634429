"""Databases that go away: PostgreSQL behind a proxy, SQLite whose write lock another process holds."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import make_url, select, text

from backend import database as database_module
from backend import migration
from backend.database import Database
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Base, Dataset, Layer, Metric, MetricSummary, Run, Spectrum, SpectrumSummary
from backend.models.base import now
from tests.faults.proxy import Proxy, proxied

WIDTHS = (8, 33, 128)
OWNER = "worker:1:1"


class Place:
    """A migrated database with one dataset, how a client reaches it, and how it is cut off and comes back."""

    def __init__(self, url: str, direct: str, cut: Callable[[], None], restore: Callable[[], None]) -> None:
        self.url, self.cut, self.restore = url, cut, restore
        self.direct = Database(direct)
        with self.direct.writing() as session:
            dataset = Dataset(
                name="d",
                kind="coco",
                train="t",
                val="v",
                images="i",
                categories=[],
                has_masks=False,
                counts={},
            )
            session.add(dataset)
            session.flush()
            self.dataset_id = dataset.id

    @contextmanager
    def client(self) -> Iterator[Database]:
        """Yield the database as one reaches it who can be cut off."""
        opened = Database(self.url)
        try:
            yield opened
        finally:
            opened.dispose()

    def add_run(self, owner: str | None = OWNER, **values: Any) -> int:
        """Return a run under way."""
        given: dict[str, Any] = {
            "status": "running",
            "lease_owner": owner,
            "lease_expires_at": now(),
            "attempt": 1,
        }
        with self.direct.writing() as session:
            run = Run(
                name="r", specification={}, dataset_id=self.dataset_id, iterations=9, **{**given, **values}
            )
            session.add(run)
            session.flush()
            return run.id

    def run(self, run_id: int) -> Run:
        """Return a run as it stands."""
        with self.direct.reading() as session:
            found = session.get(Run, run_id)
            assert found is not None
            return found

    def stored(self, run_id: int) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that was measured of a run, as it lies in the tables."""
        found = {}
        with self.direct.reading() as session:
            for table in (Layer, Spectrum, SpectrumSummary, Metric, MetricSummary):
                columns = [c for c in table.__table__.columns if c.name != "run_id"]
                query = select(*columns).where(table.__table__.c.run_id == run_id).order_by(*columns)
                found[table.__tablename__] = [tuple(row) for row in session.execute(query)]
        return found


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until `holds()`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def migrated_postgres(new_postgres: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Yield one migrated PostgreSQL database for all of these tests: to make one takes seconds."""
    with new_postgres() as url:
        opened = Database(url)
        migration.upgrade(opened)
        with opened.writing() as session:
            # Nothing here outlives a crash of the machine, and to wait for its disk would take most of the time.
            session.execute(text(f'ALTER DATABASE "{make_url(url).database}" SET synchronous_commit = off'))
        opened.dispose()
        yield url


@contextmanager
def _postgres(request: pytest.FixtureRequest, _tmp_path: Path) -> Iterator[Place]:
    direct = request.getfixturevalue("migrated_postgres")
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    opened = Database(direct)
    with opened.writing() as session:
        session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    opened.dispose()
    target = make_url(direct)
    with proxied(target.host or "127.0.0.1", target.port or 5432) as proxy:
        url = target.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        yield Place(url, direct, proxy.cut, proxy.restore)


@contextmanager
def _sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    request.getfixturevalue("monkeypatch").setattr(database_module, "BUSY_TIMEOUT_MS", 200)
    file = tmp_path / "eigenscope.db"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
    held: list[sqlite3.Connection] = []

    def cut() -> None:
        lock = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
        lock.execute("BEGIN IMMEDIATE")
        held.append(lock)

    def restore() -> None:
        held.pop().close()

    yield Place(f"sqlite:///{file}", f"sqlite:///{file}", cut, restore)


PLACES: dict[str, Callable[..., AbstractContextManager[Place]]] = {"sqlite": _sqlite, "postgres": _postgres}


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Yield a database that can be cut off."""
    with PLACES[request.param](request, tmp_path) as opened:
        yield opened
        opened.direct.dispose()


@pytest.fixture
def layers() -> list[LayerRow]:
    return [LayerRow(k, f"layer{k}", "act", "stem", width) for k, width in enumerate(WIDTHS)]


@pytest.fixture
def snapshot() -> Callable[[int], Sequence[SpectrumRow]]:
    """Return a maker of one iteration's spectra, always the same for the same iteration."""
    return _snapshot


def _snapshot(iteration: int) -> list[SpectrumRow]:
    drawn = np.random.default_rng(iteration)
    rows = []
    for k, width in enumerate(WIDTHS):
        values = np.sort(drawn.exponential(size=width))[::-1]
        rows.append(SpectrumRow(k, values, 3, float(values.sum()), float(values[0]), 2, 10**10 + iteration))
    return rows


__all__ = ["Place", "Proxy", "until"]
