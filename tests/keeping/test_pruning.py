"""What the rules of retention delete, and what they never touch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.keeping.pruning import Rules, carry_out, plan
from backend.models import Run, WidthPlan, WidthPlanRun
from backend.models.base import now


def planned(place: Any, **rules: float) -> set[tuple[int, int | None]]:
    """Return (run, iteration) of what would go; nothing changes by looking."""
    before = place.everything(), place.files()
    with place.database.reading() as session:
        found = plan(session, Rules(**rules))
    assert (place.everything(), place.files()) == before
    return {(item.run_id, item.iteration) for item in found.items}


@pytest.fixture
def filled(place: Any, seed_place: Any, new_run: Any, keep_checkpoint: Any) -> dict[str, int]:
    """Fill an instance with runs of many ages; return their ids by name."""
    seeded = seed_place(place)
    ids = {"parent": seeded.parent, "child": seeded.child, "running": seeded.running}
    recently = now() - timedelta(hours=1)
    with place.database.writing() as session:
        for name, columns in {
            "old": {},
            "new": {"finished_at": recently},
            "failed": {"status": "failed"},
            "archived": {"archived": True},
            "archived now": {"archived": True, "finished_at": recently},
            "queued": {"status": "queued", "finished_at": None},
        }.items():
            run = new_run(session, seeded.dataset, name, **columns)
            ids[name] = run.id
            keep_checkpoint(place, session, run.id, 10, ["snapshot"])
            keep_checkpoint(place, session, run.id, 20, ["best", "snapshot"])
            keep_checkpoint(place, session, run.id, 30, ["last", "snapshot"])
    return ids


def test_nothing_goes_without_a_rule(place: Any, filled: dict[str, int]) -> None:
    assert planned(place) == set()


def test_old_succeeded_runs_keep_best_and_last(place: Any, filled: dict[str, int]) -> None:
    expected = {(filled[name], 10) for name in ("old", "archived")} | {(filled["parent"], 7)}
    assert planned(place, checkpoints_days=30) == expected
    assert planned(place, checkpoints_days=365) == set()
    found = carry_out(place.database, place.settings, Rules(checkpoints_days=30))
    assert {(item.run_id, item.iteration) for item in found.items} == expected
    folder = place.settings.run_folder(filled["old"])
    names = ["checkpoint-00000030.pt", "weights-00000020.pt", "weights-00000030.pt"]
    assert sorted(file.name for file in folder.iterdir()) == names
    assert {row["iteration"] for row in place.rows("checkpoints", run_id=filled["old"])} == {20, 30}
    assert planned(place, checkpoints_days=30) == set()


def test_a_checkpoint_that_a_run_or_plan_needs_stays(
    place: Any, filled: dict[str, int], new_run: Any
) -> None:
    with place.database.writing() as session:
        dataset = session.get_one(Run, filled["old"]).dataset_id
        init = {"kind": "run", "run_id": filled["old"], "iteration": 10}
        new_run(session, dataset, "heir", init=init, parent_run_id=filled["old"], status="queued")
        request = {"run_id": filled["archived"], "iteration": 10}
        session.add(WidthPlan(run_id=filled["archived"], request=request, plan={}, specification={}))
    assert planned(place, checkpoints_days=30) == {(filled["parent"], 7)}
    assert (filled["old"], 10) not in planned(place, budget_gb=0)
    assert (filled["archived"], 10) not in planned(place, budget_gb=0)


def test_archived_runs_go_whole(place: Any, filled: dict[str, int]) -> None:
    # The child is archived and old too, but a plan launched it.
    assert planned(place, archived_days=30) == {(filled["archived"], None)}
    carry_out(place.database, place.settings, Rules(archived_days=30))
    assert place.rows("runs", id=filled["archived"]) == []
    assert place.rows("checkpoints", run_id=filled["archived"]) == []
    assert not place.settings.run_folder(filled["archived"]).exists()
    assert place.settings.run_folder(filled["archived now"]).exists()


def test_an_archived_run_that_another_started_from_stays(
    place: Any, filled: dict[str, int], new_run: Any
) -> None:
    with place.database.writing() as session:
        dataset = session.get_one(Run, filled["archived"]).dataset_id
        init = {"kind": "run", "run_id": filled["archived"], "iteration": None}
        new_run(session, dataset, "heir", init=init, parent_run_id=filled["archived"])
    assert planned(place, archived_days=30) == set()
    with place.database.writing() as session:
        plan_id = place.rows("width_plans")[0]["id"]
        session.add(WidthPlanRun(run_id=filled["archived now"], plan_id=plan_id, role="baseline"))
    assert planned(place, archived_days=0) == set()


def test_a_budget_takes_the_oldest_snapshots_first_and_never_a_last(
    place: Any, filled: dict[str, int]
) -> None:
    with place.database.reading() as session:
        taken = plan(session, Rules(budget_gb=1)).taken
        one = plan(session, Rules(budget_gb=(taken - 1) / 1e9))
    assert len(one.items) == 1
    assert planned(place, budget_gb=taken / 1e9) == set()
    every = planned(place, budget_gb=0)
    kept = {(row["run_id"], row["iteration"]) for row in place.rows("checkpoints")} - every
    lasts = {(r["run_id"], r["iteration"]) for r in place.rows("checkpoints") if "last" in r["kept_as"]}
    under_way = {(filled["queued"], k) for k in (10, 20)}
    assert kept == lasts | under_way
    with place.database.reading() as session:
        found = plan(session, Rules(budget_gb=0))
        bests = [item.iteration == 20 for item in found.items]
        assert bests == sorted(bests)
        assert found.over_budget == found.taken - found.freed > 0


def test_files_go_only_when_the_rows_are_gone(
    place: Any, filled: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = place.files()
    seen: list[set[str]] = []
    unlink = Path.unlink

    def watched(self: Path, missing_ok: bool = False) -> None:
        seen.append({row["file"] for row in place.rows("checkpoints")})
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    found = carry_out(place.database, place.settings, Rules(checkpoints_days=30))
    gone = {f"runs/{item.run_id}/weights-{item.iteration:08d}.pt" for item in found.items}
    assert before.keys() - place.files().keys() == gone
    assert seen
    assert all(not rows & gone for rows in seen)


def test_a_deletion_that_fails_removes_no_file(
    place: Any, filled: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = place.everything(), place.files()

    def fail(*_: Any) -> None:
        raise OSError("pulled the plug")

    monkeypatch.setattr("backend.keeping.pruning._delete_rows", fail)
    with pytest.raises(OSError, match="plug"):
        carry_out(place.database, place.settings, Rules(checkpoints_days=30, archived_days=1))
    assert (place.everything(), place.files()) == before
