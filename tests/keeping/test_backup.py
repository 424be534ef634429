"""A whole instance is written to one file while it works, and comes back as it was, on either database."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import Conflict, InvalidInput
from backend.keeping.backups import back_up
from backend.keeping.exporting import export
from backend.keeping.restoring import restore
from backend.measurements import repository as measurements
from backend.measurements.records import CheckpointRow, SpectrumRow
from backend.models import Run, Worker
from backend.models.base import now

POSTGRES = pytest.mark.postgres
WAYS = [
    ("sqlite", "sqlite"),
    pytest.param("postgres", "postgres", marks=POSTGRES),
    pytest.param("sqlite", "postgres", marks=POSTGRES),
    pytest.param("postgres", "sqlite", marks=POSTGRES),
]


def content(place: Any) -> dict[str, list[dict[str, Any]]]:
    """Return all that a backup must hold; paths in the home folder by their place in it."""
    found = place.everything()
    del found["workers"]
    home = str(place.settings.home)
    for row in found["datasets"]:
        row |= {column: row[column].replace(home, "HOME") for column in ("train", "val", "images")}
    return found


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_everything_comes_back(
    make_place: Any, seed_place: Any, tmp_path: Path, source: str, target: str
) -> None:
    seeded = seed_place(make_place(source))
    place = seeded.place
    before = content(place)
    written = back_up(place.database, place.settings, tmp_path / "b.zip", "0.1.0")
    assert written.missing == []
    assert content(place) == before
    there = make_place(target)
    restore(there.database, there.settings, written.path)
    assert content(there) == before
    assert there.files() == place.files()
    (dataset,) = there.rows("datasets")
    assert Path(dataset["train"]).is_relative_to(there.settings.home)
    assert Path(dataset["train"]).is_file()
    with there.database.writing() as session:
        # The newest run of the source was deleted before: its number is not given again.
        run = Run(name="next", specification={}, origin="recorded", iterations=0)
        session.add(run)
        session.flush()
        assert run.id == max(row["id"] for row in before["runs"]) + 2


class Writer(threading.Thread):
    """Trains: writes snapshots whole, and a new checkpoint in place of the one before, as fast as it can."""

    def __init__(self, place: Any, run_id: int) -> None:
        super().__init__()
        self.place, self.run_id = place, run_id
        self.stopping, self.written, self.errors = threading.Event(), 100, []

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.written += 1
                self.step(self.written)
        except Exception as error:
            self.errors.append(error)

    def step(self, iteration: int) -> None:
        home = self.place.settings.home
        file = self.place.settings.run_folder(self.run_id) / f"checkpoint-{iteration:08d}.pt"
        file.write_bytes(b"%d" % iteration * 100)
        values = [np.full(width, iteration, np.float32) for width in (5, 3)]
        rows = [SpectrumRow(k, value, 1, 1.0, 1.0, 1, 1) for k, value in enumerate(values)]
        with self.place.database.writing() as session:
            measurements.write_spectra(session, self.run_id, iteration, rows)
            measurements.write_metrics(session, self.run_id, [(iteration, "loss", float(iteration))])
            row = CheckpointRow(iteration, file, file.stat().st_size, ("last",))
            measurements.write_checkpoints(session, self.run_id, [row], home)
        for other in file.parent.glob("checkpoint-*"):
            if other != file:
                other.unlink()


def test_a_backup_beside_a_writer_is_of_one_moment(seeded: Any, make_place: Any, tmp_path: Path) -> None:
    place = seeded.place
    writer = Writer(place, seeded.running)
    writer.start()
    try:
        files = []
        for k in range(4):
            while writer.written < 110 + 10 * k and not writer.errors:
                pass
            files.append(back_up(place.database, place.settings, tmp_path / f"{k}.zip", "0.1.0"))
    finally:
        writer.stopping.set()
        writer.join()
    assert writer.errors == []
    for file in files:
        assert file.missing == []
        there = make_place("sqlite")
        restore(there.database, there.settings, file.path)
        spectra = there.rows("spectra", run_id=seeded.running)
        newest = max(row["iteration"] for row in spectra)
        assert newest >= 109
        # Whole snapshots, and everything of the same moment.
        assert [row["layer"] for row in spectra if row["iteration"] == newest] == [0, 1]
        assert len(spectra) == 2 * len({row["iteration"] for row in spectra})
        assert max(row["iteration"] for row in there.rows("metrics", run_id=seeded.running)) == newest
        (checkpoint,) = there.rows("checkpoints", run_id=seeded.running)
        assert checkpoint["iteration"] == newest
        assert (there.settings.home / checkpoint["file"]).read_bytes() == b"%d" % newest * 100


def test_a_folder_gets_a_file_with_the_time_in_its_name(seeded: Any, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    found = back_up(seeded.place.database, seeded.place.settings, folder, "0.1.0")
    assert [found.path] == list(folder.iterdir())
    assert found.path.name.startswith("eigenscope-2")


def test_an_instance_that_holds_something_is_left_alone(seeded: Any, make_place: Any, tmp_path: Path) -> None:
    place = seeded.place
    file = back_up(place.database, place.settings, tmp_path / "b.zip", "0.1.0").path
    with place.database.writing() as session:
        session.get_one(Run, seeded.parent).notes = "after the backup"
    (place.settings.home / "runs" / "77").mkdir()
    before = content(place)
    with pytest.raises(Conflict, match=r"holds 4 run\(s\), 1 dataset\(s\) and 5 folder"):
        restore(place.database, place.settings, file)
    assert content(place) == before
    restore(place.database, place.settings, file, replace=True)
    assert place.rows("runs", id=seeded.parent)[0]["notes"] == "two\nlines, ünïcode"
    assert not (place.settings.home / "runs" / "77").exists()
    assert not list(place.settings.home.glob("keeping-*"))


def test_an_instance_at_work_is_left_alone(seeded: Any, tmp_path: Path) -> None:
    place = seeded.place
    file = back_up(place.database, place.settings, tmp_path / "b.zip", "0.1.0").path
    with place.database.writing() as session:
        session.add(Worker(name="w", host="h", seen_at=now()))
    with pytest.raises(Conflict, match=r"1 worker\(s\) of this instance live; stop them"):
        restore(place.database, place.settings, file, replace=True)


def test_what_fails_at_the_end_changes_nothing(
    seeded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = seeded.place
    file = back_up(place.database, place.settings, tmp_path / "b.zip", "0.1.0").path
    before = place.everything(), place.files()

    # Of this database alone: servers of other tests may be running.
    monkeypatch.setattr(place.database, "writing", failing(place.database.writing))
    with pytest.raises(OSError, match="plug"):
        restore(place.database, place.settings, file, replace=True)
    assert (place.everything(), place.files()) == before


def failing(writing: Any) -> Any:
    """Return a `Database.writing` whose commit fails."""

    def replaced() -> Any:
        context = writing()
        leave = context.__class__.__exit__

        class Broken:
            def __enter__(self) -> Any:
                return context.__enter__()

            def __exit__(self, *_: Any) -> Any:
                error = OSError("pulled the plug")
                leave(context, OSError, error, None)
                raise error

        return Broken()

    return replaced


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_backup_is_refused(seeded: Any, make_place: Any, tmp_path: Path, share: float) -> None:
    file = back_up(seeded.place.database, seeded.place.settings, tmp_path / "b.zip", "0.1.0").path
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    there = make_place("sqlite")
    with pytest.raises(InvalidInput, match="damaged or cut off"):
        restore(there.database, there.settings, file)
    assert there.files() == {}


def test_runs_are_no_backup(seeded: Any, make_place: Any, tmp_path: Path) -> None:
    place = seeded.place
    export(place.database, place.settings, [seeded.parent], tmp_path / "a.zip", "none", "0.1.0")
    there = make_place("sqlite")
    with pytest.raises(InvalidInput, match="eigenscope import"):
        restore(there.database, there.settings, tmp_path / "a.zip")
