"""What a trainer reads at its start waits for the database, and hears a wish to stop meanwhile."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text

from tests.faults.conftest import Place, until
from worker import patience
from worker.patience import PatientDatabase
from worker.training.stopping import StopFlag, StopRequested


def gone(place: Place) -> None:
    if place.url.startswith("sqlite"):
        pytest.skip("readers of SQLite do not wait for its writers")
    place.cut()


def test_a_reader_waits_until_the_database_is_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE", 0.05)
    gone(place)
    database, found = PatientDatabase(place.url, StopFlag().check), []

    def read() -> None:
        with database.reading() as session:
            found.append(session.execute(text("SELECT 7")).scalar_one())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(0.5)
    assert found == []
    place.restore()
    until(lambda: found == [7])
    reader.join()
    database.dispose()


def test_a_wish_to_stop_ends_the_waiting(place: Place) -> None:
    gone(place)
    stop = StopFlag()
    stop.request()
    database = PatientDatabase(place.url, stop.check)
    with pytest.raises(StopRequested), database.reading():
        pass
    database.dispose()
    place.restore()
