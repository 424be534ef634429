"""Runs go from one instance to another, on either database, and lose no bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.datasets.registration import register_shapes
from backend.datasets.service import is_missing
from backend.datasets.shapes import ShapesParameters
from backend.errors import Conflict, NotFound
from backend.keeping.exporting import export
from backend.keeping.importing import import_runs
from backend.keeping.tables import OF_A_RUN
from backend.models import Base, Dataset, Run
from backend.runs import initialisation
from backend.runs.specification import RunSpecification
from eigenscope.server import build_app

POSTGRES = pytest.mark.postgres
WAYS = [
    pytest.param("sqlite", "postgres", marks=POSTGRES),
    pytest.param("postgres", "sqlite", marks=POSTGRES),
    ("sqlite", "sqlite"),
]
MAPPED = {"id", "dataset_id", "parent_run_id", "specification", "imported"}
"""What an import changes of a run that has ended."""


def written(seeded: Any, path: Path, *runs: int, checkpoints: Any = "all", **more: Any) -> Path:
    place = seeded.place
    export(place.database, place.settings, runs, path, checkpoints, "0.1.0", **more)
    return path


def of_run(place: Any, table: str, run_id: int) -> list[dict[str, Any]]:
    rows = place.rows(table, run_id=run_id)
    return [{name: value for name, value in row.items() if name not in ("run_id", "file")} for row in rows]


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_runs_arrive_as_they_were(
    make_place: Any, seed_place: Any, tmp_path: Path, source: str, target: str
) -> None:
    seeded = seed_place(make_place(source))
    there = make_place(target)
    with there.database.writing() as session:
        # Ids are other ones there.
        session.add_all(Run(name="x", specification={}, origin="recorded", iterations=0) for _ in range(7))
    runs = (seeded.parent, seeded.child, seeded.recorded)
    file = written(seeded, tmp_path / "a.zip", *runs)
    found = import_runs(there.database, there.settings, file)
    assert [run.was for run in found.runs] == list(runs)
    assert found.missing == ["cells"]
    new = {run.was: run.id for run in found.runs}
    assert not set(new) & set(new.values())
    for old in runs:
        (before,) = seeded.place.rows("runs", id=old)
        (after,) = there.rows("runs", id=new[old])
        assert {k: v for k, v in after.items() if k not in MAPPED} == {
            k: v for k, v in before.items() if k not in MAPPED
        }
        assert after["imported"]["run_id"] == old
        assert after["imported"]["host"] == found.host
        for table in OF_A_RUN:
            assert of_run(there, table.name, new[old]) == of_run(seeded.place, table.name, old), table.name
        assert of_run(there, "spectra", new[old])
        before_files = {p.name: p.read_bytes() for p in seeded.place.settings.run_folder(old).glob("*")}
        assert {p.name: p.read_bytes() for p in there.settings.run_folder(new[old]).glob("*")} == before_files
    for row in there.rows("checkpoints"):
        assert (there.settings.home / row["file"]).is_file()
        assert row["file"].startswith(f"runs/{row['run_id']}/")
    (child,) = there.rows("runs", id=new[seeded.child])
    assert child["parent_run_id"] == new[seeded.parent]
    assert child["specification"]["init"]["run_id"] == new[seeded.parent]
    assert child["specification"]["dataset_id"] == child["dataset_id"]
    assert not list(there.settings.home.glob("keeping-*"))
    assert not list(seeded.place.settings.home.glob("keeping-*"))


def test_every_table_of_a_run_is_thought_of() -> None:
    naming = {
        table.name
        for table in Base.metadata.tables.values()
        if any(key.column.table.name == "runs" for key in table.foreign_keys)
    }
    through = {"spectra", "spectrum_summaries"}
    # Since when a run stands still is nothing that it measured.
    left_out = {"runs", "width_plans", "width_plan_runs", "run_watches"}
    assert {table.name for table in OF_A_RUN} == (naming | through) - left_out


def test_a_parent_that_stays_behind_is_no_other_run(seeded: Any, make_place: Any, tmp_path: Path) -> None:
    file = written(seeded, tmp_path / "a.zip", seeded.child)
    there = make_place("sqlite")
    (run,) = import_runs(there.database, there.settings, file).runs
    (row,) = there.rows("runs")
    assert row["parent_run_id"] is None
    assert row["imported"]["parent_run_id"] == seeded.parent
    spent = row["specification"]["init"]["run_id"]
    specification = RunSpecification.model_validate(row["specification"])
    with there.database.writing() as session:
        session.add(Run(name="next", specification={}, origin="recorded", iterations=0))
        session.flush()
        assert session.get(Run, spent) is None
        with pytest.raises(Exception, match=f"there is no run {spent}"):
            initialisation.source_of(session, there.settings, specification)
    assert run.id != spent


def test_a_run_under_way_arrives_stopped(seeded: Any, make_place: Any, tmp_path: Path) -> None:
    file = written(seeded, tmp_path / "a.zip", seeded.running)
    there = make_place("sqlite")
    import_runs(there.database, there.settings, file)
    (row,) = there.rows("runs")
    assert row["status"] == "cancelled"
    assert "it was running at iteration 50 when it was exported" in row["error"]
    assert (row["lease_owner"], row["lease_expires_at"], row["phase"]) == (None, None, "")


@pytest.mark.parametrize(
    ("which", "kept"), [("last", {100}), ("all", {7, 100}), ("none", set())], ids=["last", "all", "none"]
)
def test_checkpoints_go_along_as_asked(
    seeded: Any, make_place: Any, tmp_path: Path, which: str, kept: set[int]
) -> None:
    there = make_place("sqlite")
    file = written(seeded, tmp_path / "a.zip", seeded.parent, checkpoints=which)
    import_runs(there.database, there.settings, file)
    assert {row["iteration"] for row in there.rows("checkpoints")} == kept


def test_a_checkpoint_that_is_gone_is_told_and_left_out(
    seeded: Any, make_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.keeping.exporting.PAUSE_SECONDS", 0)
    place = seeded.place
    (place.settings.run_folder(seeded.parent) / "weights-00000007.pt").unlink()
    found = export(place.database, place.settings, [seeded.parent], tmp_path / "a.zip", "all", "0.1.0")
    assert found.missing == [f"run {seeded.parent}, iteration 7"]
    there = make_place("sqlite")
    import_runs(there.database, there.settings, tmp_path / "a.zip")
    assert [row["iteration"] for row in there.rows("checkpoints")] == [100]


def test_a_dataset_is_found_by_name_and_content(seeded: Any, tmp_path: Path) -> None:
    place = seeded.place
    file = written(seeded, tmp_path / "a.zip", seeded.parent)
    again = import_runs(place.database, place.settings, file)
    assert again.missing == []
    (row,) = place.rows("runs", id=again.runs[0].id)
    assert row["dataset_id"] == seeded.dataset
    with place.database.writing() as session:
        other = {"train": {"images": 8, "annotations": 1}, "val": {"images": 3, "annotations": 5}}
        session.get_one(Dataset, seeded.dataset).counts = other
    changed = import_runs(place.database, place.settings, file)
    assert changed.missing == ["cells (imported)"]
    assert import_runs(place.database, place.settings, file).missing == []
    (new,) = place.rows("datasets", name="cells (imported)")
    assert place.settings.home.as_posix() in new["train"]
    assert "/data" not in new["images"]
    with place.database.reading() as session:
        assert is_missing(session.get_one(Dataset, new["id"]))
        assert not is_missing(session.get_one(Dataset, seeded.dataset))


def test_registering_a_missing_dataset_gives_it_its_files(
    make_place: Any, new_run: Any, tmp_path: Path
) -> None:
    small = ShapesParameters(train=2, val=2, size=64)
    here, there = make_place("sqlite"), make_place("sqlite")
    dataset = register_shapes(here.database, here.settings, "shapes", small)
    with here.database.writing() as session:
        run_id = new_run(session, dataset.id, "on shapes").id
    export(here.database, here.settings, [run_id], tmp_path / "a.zip", "none", "0.1.0")
    assert import_runs(there.database, there.settings, tmp_path / "a.zip").missing == ["shapes"]
    (before,) = there.rows("datasets")
    with pytest.raises(Conflict, match="these are other files than theirs"):
        register_shapes(there.database, there.settings, "shapes", ShapesParameters(train=3, val=2, size=64))
    found = register_shapes(there.database, there.settings, "shapes", small)
    assert found.id == before["id"] == there.rows("runs")[0]["dataset_id"]
    assert Path(found.train).is_file()
    assert len(there.rows("dataset_images")) == 4
    with pytest.raises(Conflict, match="exists already"):
        register_shapes(there.database, there.settings, "shapes", ShapesParameters(train=3, val=2, size=64))


def test_a_page_says_where_a_run_is_from(seeded: Any, tmp_path: Path) -> None:
    place = seeded.place
    file = written(seeded, tmp_path / "a.zip", seeded.recorded)
    found = import_runs(place.database, place.settings, file)
    with TestClient(build_app(place.settings), base_url="http://127.0.0.1:8000") as client:
        page = client.get(f"/runs/{found.runs[0].id}").text
        assert f"run {seeded.recorded} of {found.host}" in page
        assert "Imported from" not in client.get(f"/runs/{seeded.recorded}").text


def test_no_path_of_this_machine_is_exported(seeded: Any, tmp_path: Path) -> None:
    content = written(seeded, tmp_path / "a.zip", seeded.parent).read_bytes()
    assert str(seeded.place.settings.home).encode() not in content
    assert b"/data/images" not in content


def test_a_run_that_is_not_there_leaves_no_file(seeded: Any, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(NotFound, match="there is no run 99"):
        written(seeded, tmp_path / "a.zip", seeded.parent, 99)
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_there_is_not_overwritten(seeded: Any, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        written(seeded, tmp_path / "a.zip", seeded.parent)
    assert (tmp_path / "a.zip").read_text() == "mine"
    written(seeded, tmp_path / "a.zip", seeded.parent, replace=True)
    assert (tmp_path / "a.zip").stat().st_size > 1000
