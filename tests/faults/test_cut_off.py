"""A recorder whose database goes away while it writes: the same set in the end, bit for bit, and nothing doubled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from backend.database import Database
from backend.errors import Unavailable
from backend.measurements.records import CheckpointRow, LayerRow, SpectrumRow
from backend.models import Run
from backend.runs import queue
from tests.faults.conftest import OWNER, Place, until
from worker.journal import Journal, left_behind
from worker.recorder import Recorder, RunTakenAway
from worker.training.stopping import StopRequested

Snapshot = Callable[[int], Sequence[SpectrumRow]]
ITERATIONS = 60
PLENTY = 1e9
CALM: dict[str, Any] = {}


@contextmanager
def recorder(
    place: Place,
    run_id: int,
    home: Path,
    stop: threading.Event | None = None,
    limit: float = PLENTY,
    owner: str | None = OWNER,
) -> Iterator[Recorder]:
    """Yield a recorder with a journal; it is not closed."""
    asked = stop or threading.Event()
    with place.client() as database:
        opened = Recorder(database, run_id, owner, home)
        opened.keep_journal(home / "runs" / str(run_id), limit, asked.is_set)
        yield opened


def kill(recorder: Recorder) -> None:
    """End its delivery as SIGKILL would."""
    courier: Any = recorder._courier
    courier._closing.set()
    courier._thread.join()


def say(recorder: Recorder, iteration: int, snapshot: Snapshot) -> None:
    recorder.metrics(iteration, {f"loss_{k}": 1 / (iteration + k + 1) for k in range(20)})
    recorder.progress(iteration, 0.1)
    recorder.flush()
    if iteration % 4 == 0:
        recorder.spectra(iteration, snapshot(iteration))


def say_all(
    recorder: Recorder, layers: list[LayerRow], snapshot: Snapshot, at: dict[int, Any] | None = None
) -> None:
    recorder.layers(layers)
    for iteration in range(ITERATIONS):
        if at and iteration in at:
            at[iteration]()
        say(recorder, iteration, snapshot)


@pytest.fixture
def undisturbed(place: Place, tmp_path: Path, layers: list[LayerRow], snapshot: Snapshot) -> Any:
    """Return what lies in the tables after a run during which nothing happened; once for each kind of database."""
    kind = place.url.partition(":")[0]
    if kind in CALM:
        return CALM[kind]
    run_id = place.add_run()
    with recorder(place, run_id, tmp_path / "home") as calm:
        say_all(calm, layers, snapshot)
        assert calm.close()
        assert not calm.was_away
    stored = place.stored(run_id)
    assert len(stored["metrics"]) == 20 * ITERATIONS
    CALM[kind] = stored
    return stored


def test_cut_off_and_back_again_it_is_the_same_set(
    place: Place, tmp_path: Path, layers: list[LayerRow], snapshot: Snapshot, undisturbed: Any
) -> None:
    run_id, home = place.add_run(), tmp_path / "home"
    folder = home / "runs" / str(run_id)

    def there_again() -> None:
        place.restore()
        until(lambda: left_behind(folder)[0].stat().st_size == 8)

    with recorder(place, run_id, home) as torn:
        say_all(torn, layers, snapshot, {10: place.cut, 30: there_again, 40: place.cut, 50: place.restore})
        assert torn.close()
        assert torn.was_away
    assert place.stored(run_id) == undisturbed
    assert place.run(run_id).iteration == ITERATIONS - 1
    assert list(folder.iterdir()) == []


def test_a_trainer_that_dies_while_cut_off_leaves_all_to_the_next(
    place: Place, tmp_path: Path, layers: list[LayerRow], snapshot: Snapshot, undisturbed: Any
) -> None:
    run_id, home = place.add_run(), tmp_path / "home"
    folder = home / "runs" / str(run_id)
    with recorder(place, run_id, home) as dying:
        say_all(dying, layers, snapshot, {10: place.cut})
    # It is not closed, as where it was killed; and it was killed while it wrote.
    (file,) = left_behind(folder)
    with file.open("ab") as torn:
        torn.write(b"\x10\x00\x00\x00 torn")
    kill(dying)
    place.restore()
    with place.direct.writing() as session:
        queue.change(session, Run.id == run_id, lease_owner="another")
    with recorder(place, run_id, home, owner="another") as following:
        assert place.stored(run_id) == undisturbed
        assert following.close()
    assert list(folder.iterdir()) == []


def test_a_full_journal_holds_the_run_until_the_database_is_back(
    place: Place,
    tmp_path: Path,
    layers: list[LayerRow],
    snapshot: Snapshot,
    undisturbed: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_id, home = place.add_run(), tmp_path / "home"
    file = home / "runs" / str(run_id)
    with recorder(place, run_id, home, limit=9_000) as held:
        writer = threading.Thread(target=say_all, args=(held, layers, snapshot, {5: place.cut}), daemon=True)
        writer.start()
        until(lambda: "as much as it may" in caplog.text)
        time.sleep(0.5)
        assert writer.is_alive()
        assert left_behind(file)[0].stat().st_size <= 9_000
        place.restore()
        writer.join(60)
        assert held.close()
    assert place.stored(run_id) == undisturbed
    assert caplog.text.count("the run waits until the database answers or it is asked to stop") == 1


def test_a_wish_to_stop_is_heard_while_the_run_waits(
    place: Place,
    tmp_path: Path,
    layers: list[LayerRow],
    snapshot: Snapshot,
    undisturbed: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.courier.PATIENCE_WHEN_STOPPING", 0.3)
    run_id, home, stop = place.add_run(), tmp_path / "home", threading.Event()
    with recorder(place, run_id, home, stop, limit=9_000) as held:
        writer = threading.Thread(target=say_all, args=(held, layers, snapshot, {5: place.cut}), daemon=True)
        writer.start()
        until(lambda: "as much as it may" in caplog.text)
        stop.set()
        writer.join(30)
        assert not writer.is_alive()
        assert not held.close(), "it does not call the run finished"
    place.restore()
    with recorder(place, run_id, home) as following:
        assert following.close()
    assert place.stored(run_id) == undisturbed


def test_whose_run_was_taken_away_writes_nothing_more(
    place: Place, tmp_path: Path, layers: list[LayerRow], snapshot: Snapshot
) -> None:
    run_id, home = place.add_run(), tmp_path / "home"
    with recorder(place, run_id, home) as stale:
        stale.layers(layers)
        place.cut()
        say(stale, 0, snapshot)
        place.restore()
        with place.direct.writing() as session:
            # Swept when its lease had expired, then claimed by another.
            queue.change(session, Run.id == run_id, status="running", lease_owner="another")
        until(lambda: stale._courier._failure is not None)  # type: ignore[union-attr]
        with pytest.raises(RunTakenAway):
            say(stale, 4, snapshot)
        with pytest.raises(RunTakenAway):
            stale.close()
    assert place.stored(run_id)["spectra"] == []
    assert left_behind(home / "runs" / str(run_id)) == []


def test_one_that_was_cut_off_cannot_leave_words_behind_for_its_follower(
    tmp_path: Path, place: Place
) -> None:
    run_id, home = place.add_run(iteration=3), tmp_path / "home"
    folder = home / "runs" / str(run_id)
    stale = Journal(folder, 1)
    stale.append(b"never valid json")
    with place.direct.writing() as session:
        session.execute(update(Run).where(Run.id == run_id).values(revision=9))
    newest = Journal(folder, 7)
    newest.close()
    Journal(folder, 7)
    with recorder(place, run_id, home) as following:
        # Only the newest was read, and it was empty.
        assert [file.name for file in left_behind(folder)] == ["journal-000000000009.bin"]
        stale.append(b"still writing")
        assert len(left_behind(folder)) == 1
        assert following.close()


def test_a_run_that_begins_anew_does_not_get_back_what_was_dropped(
    tmp_path: Path, place: Place, layers: list[LayerRow], snapshot: Snapshot
) -> None:
    run_id, home = place.add_run(), tmp_path / "home"
    with recorder(place, run_id, home) as first:
        first.layers(layers)
        say(first, 0, snapshot)
        place.cut()
        say(first, 4, snapshot)
        kill(first)
    place.restore()
    with place.direct.writing() as session:
        queue.change(session, Run.id == run_id, iteration=0, start=None)
        for table in ("metrics", "metric_summaries", "layers"):
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE run_id = {run_id}")  # noqa: S608
    with recorder(place, run_id, home) as again:
        assert place.stored(run_id)["metrics"] == []
        assert again.close()


def test_checkpoints_of_which_the_database_knows_nothing_replace_none(place: Place, tmp_path: Path) -> None:
    run_id, home = place.add_run(), tmp_path / "home"
    folder = home / "runs" / str(run_id)
    with recorder(place, run_id, home) as told:
        files = [folder / f"checkpoint-{k}.pt" for k in (1, 2)]
        for file in files:
            file.write_bytes(b"x")
        assert told.checkpoints([CheckpointRow(1, files[0], 1, ("last",))])
        place.cut()
        assert not told.checkpoints([CheckpointRow(2, files[1], 1, ("last",))])
        place.restore()
        assert told.close()


def test_other_errors_of_the_database_are_raised(place: Place, tmp_path: Path, snapshot: Snapshot) -> None:
    run_id = place.add_run()
    with recorder(place, run_id, tmp_path / "home") as told, pytest.raises(DBAPIError):
        told.spectra(0, snapshot(0))


def test_neither_database_nor_disk(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    run_id, stop = place.add_run(), threading.Event()
    with recorder(place, run_id, tmp_path / "home", stop) as held:
        place.cut()
        monkeypatch.setattr(Journal, "append", full)
        raised: list[BaseException] = []

        def write() -> None:
            try:
                held.phase("saving")
            except Unavailable as error:
                raised.append(error)

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        until(lambda: "cannot be written (No space left on device): the run waits" in caplog.text)
        stop.set()
        writer.join(20)
        assert "mend one of them, then resume the run" in str(raised[0])
        place.restore()
        held.close()


def test_taking_over_waits_for_the_database_and_hears_a_wish_to_stop(
    place: Place, tmp_path: Path, layers: list[LayerRow], snapshot: Snapshot
) -> None:
    run_id, home, stop = place.add_run(iteration=1), tmp_path / "home", threading.Event()
    folder = home / "runs" / str(run_id)
    with recorder(place, run_id, home) as dying:
        place.cut()
        say(dying, 1, snapshot)
        kill(dying)
    place.restore()
    with place.client() as database:
        following = Recorder(database, run_id, OWNER, home)
        stop.set()
        with pytest.raises(StopRequested):
            following.keep_journal(folder, PLENTY, stop.is_set)
    assert len(left_behind(folder)) == 1
    assert isinstance(database, Database)
