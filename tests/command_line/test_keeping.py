"""`export`, `import`, `backup`, `restore`, `prune` and `doctor`, called as people call them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.database import Database
from backend.models import Checkpoint, Run, Worker
from backend.models.base import now
from eigenscope.checks import machine

Call = Callable[..., Any]


@pytest.fixture
def database(eigenscope: Call, home: Path) -> Any:
    """Yield the migrated database of the home folder, with one recorded run that has a checkpoint."""
    assert eigenscope("migrate").status == 0
    opened = Database(f"sqlite:///{home / 'home' / 'eigenscope.db'}")
    folder = home / "home" / "runs" / "1"
    folder.mkdir(parents=True)
    ended = now() - timedelta(days=60)
    with opened.writing() as session:
        values = {"specification": {"init": {"kind": "unknown"}}, "origin": "recorded", "iterations": 0}
        values |= {"finished_at": ended}
        session.add(Run(name="mine", status="succeeded", **values))
        session.flush()
        for iteration, kept_as in ((5, ["snapshot"]), (9, ["last"])):
            name = f"{'checkpoint' if 'last' in kept_as else 'weights'}-{iteration:08d}.pt"
            (folder / name).write_bytes(b"x" * 3_000_000)
            row = {"run_id": 1, "iteration": iteration, "file": f"runs/1/{name}"}
            session.add(Checkpoint(**row, bytes=3_000_000, kept_as=kept_as))
    yield opened
    opened.dispose()


@pytest.fixture
def elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def go() -> None:
        monkeypatch.setenv("EIGENSCOPE_HOME", str(home / "elsewhere"))

    return go


def test_runs_are_exported_and_imported(
    eigenscope: Call, database: Any, home: Path, elsewhere: Callable[[], None]
) -> None:
    told = eigenscope("export", 1, "--to", home / "a.zip")
    assert told.status == 0, told.err
    assert "1 run(s) with 1 checkpoint(s), 3.0 MB" in told.out
    assert eigenscope("export", 1, "--to", home / "a.zip").status == 1
    elsewhere()
    eigenscope("import", home / "a.zip")
    (second,) = json.loads(eigenscope("import", home / "a.zip", "--json").out)
    assert (second["id"], second["was"], second["name"]) == (2, 1, "mine")
    assert len(json.loads(eigenscope("runs", "list", "--json").out)) == 2
    assert json.loads(eigenscope("runs", "show", 2, "--json").out)["imported"]["run_id"] == 1


def test_wrong_archives_and_wrong_use_are_status_2(eigenscope: Call, database: Any, home: Path) -> None:
    (home / "bad.zip").write_text("no archive")
    for command in ("import", "restore"):
        told = eigenscope(command, home / "bad.zip")
        assert told.status == 2
        assert told.err.count("\n") == 1
        assert "damaged or cut off" in told.err
        assert told.out == ""
    assert eigenscope("export", "--to", home / "a.zip").status == 2
    assert eigenscope("export", 1, "--to", home / "a.zip", "--checkpoints", "some").status == 2
    assert eigenscope("export", 9, "--to", home / "a.zip").status == 1
    assert eigenscope("export", 1, "--to", home / "none" / "a.zip").status == 1
    assert eigenscope("backup").status == 2
    assert eigenscope("prune").status == 2


def test_an_instance_is_backed_up_and_restored(
    eigenscope: Call, database: Any, home: Path, elsewhere: Callable[[], None]
) -> None:
    told = json.loads(eigenscope("backup", "--to", home, "--json").out)
    assert (told["runs"], told["checkpoints"]) == (1, 2)
    refused = eigenscope("restore", told["path"])
    assert refused.status == 1
    assert "--replace" in refused.err
    elsewhere()
    done = eigenscope("restore", told["path"])
    assert done.status == 0, done.err
    assert "1 run(s) and 0 dataset(s)" in done.out
    assert (home / "elsewhere" / "runs" / "1" / "checkpoint-00000009.pt").stat().st_size == 3_000_000


def test_pruning_is_shown_first(eigenscope: Call, database: Any, home: Path) -> None:
    file = home / "home" / "runs" / "1" / "weights-00000005.pt"
    told = eigenscope("prune", "--checkpoints-days", 30)
    assert told.status == 0
    assert "checkpoint 5" in told.out
    assert "3.0 MB" in told.out
    assert "--yes deletes them" in told.err
    assert file.exists()
    done = eigenscope("prune", "--checkpoints-days", 30, "--yes", "--json")
    assert json.loads(done.out)["freed"] == 3_000_000
    assert not file.exists()
    assert "3.0 MB above the budget of 0 GB stay" in eigenscope("prune", "--budget-gb", 0).err


def test_rules_come_from_settings_too(
    eigenscope: Call, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EIGENSCOPE_KEEP_CHECKPOINTS_DAYS", "30")
    assert "checkpoint 5" in eigenscope("prune").out
    assert "checkpoint 5" not in eigenscope("prune", "--checkpoints-days", 90).out


@pytest.fixture
def doctor(eigenscope: Call, database: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, Any]]:
    """Return what the doctor says by check; without a GPU, and with a worker that lives."""
    monkeypatch.setenv("PATH", "/nowhere")
    with database.writing() as session:
        session.add(Worker(name="w:1:1", host="w"))

    def ask() -> dict[str, Any]:
        told = eigenscope("doctor", "--json")
        found = {one["check"]: one for one in json.loads(told.out)}
        assert told.status == (0 if all(one["ok"] for one in found.values()) else 1)
        return found

    return ask


def test_a_healthy_instance_is_well(doctor: Callable[[], dict[str, Any]]) -> None:
    found = doctor()
    wrong = [one for one in found.values() if not one["ok"] and one["check"] != "disk"]
    assert wrong == []
    names = ["home", "database", "broker", "workers", "clock", "disk", "files", "gpu", "versions"]
    assert list(found) == names
    assert "no nvidia-smi" in found["gpu"]["says"]
    assert "checkpoints 6.0 MB" in found["disk"]["says"]
    assert "torchvision" in found["versions"]["says"]


def test_lost_files_and_folders_are_named(doctor: Callable[[], dict[str, Any]], home: Path) -> None:
    (home / "home" / "runs" / "1" / "weights-00000005.pt").unlink()
    assert "1 checkpoint(s) have lost their file: run 1, iteration 5" in doctor()["files"]["says"]
    (home / "home" / "runs" / "77").mkdir()
    found = doctor()["files"]
    assert not found["ok"]
    assert "runs/77" in found["says"]


def test_a_damaged_database_is_named(doctor: Callable[[], dict[str, Any]], database: Any, home: Path) -> None:
    database.dispose()
    file = home / "home" / "eigenscope.db"
    with sqlite3.connect(file) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'checkpoints'").fetchone()[0]
    opened.close()
    content = bytearray(file.read_bytes())
    content[(root - 1) * 4096 + 8 : root * 4096] = b"\xff" * (4096 - 8)
    file.write_bytes(content)
    found = doctor()["database"]
    assert not found["ok"]
    assert "is damaged" in found["says"]
    assert "eigenscope restore" in found["says"]


def test_a_check_that_stumbles_over_damage_says_so_and_the_others_are_made(
    doctor: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise TypeError("a row that cannot be")

    monkeypatch.setattr("eigenscope.checks.stored.disk_use", stumble)
    found = doctor()
    assert found["disk"]["says"] == (
        "disk could not be looked at (TypeError: a row that cannot be); mend what else is wrong, and where nothing "
        "is, report this"
    )
    assert found["files"]["ok"]


def test_clocks_and_silent_workers_are_named(doctor: Callable[[], dict[str, Any]], database: Any) -> None:
    with database.writing() as session:
        session.get_one(Worker, "w:1:1").seen_at = now() + timedelta(seconds=3600)
        values = {"specification": {}, "iterations": 0, "status": "running"}
        session.add(Run(name="lost", lease_expires_at=now() - timedelta(hours=1), **values))
    found = doctor()
    assert "the clock of worker w:1:1 is 3" in found["clock"]["says"]
    assert "run(s) 2 run in name only" in found["workers"]["says"]


def test_a_full_disk_names_what_fills_it(
    doctor: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eigenscope.checks.stored.LOW_DISK_BYTES", 2**60)
    found = doctor()["disk"]
    assert not found["ok"]
    assert "checkpoints 6.0 MB" in found["says"]
    assert "eigenscope prune" in found["says"]


def nvidia(home: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an nvidia-smi of our own first in the path."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize(
    ("script", "cuda", "words"),
    [
        ("echo 'NVIDIA H100, 560.35.03, 81559'", "12.8", None),
        ("echo 'Tesla K80, 470.82.01, 11441'", "12.8", "driver 470.82.01 is too old for torch"),
        ("echo 'NVIDIA H100, 560.35.03, 81559'", "13.0", "install driver 580 or newer"),
        ("echo 'NVIDIA H100, 560.35.03, 81559'", None, "is built without CUDA"),
        (
            "echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18",
            "12.8",
            "mismatch",
        ),
        ("exit 0", "12.8", "finds no GPU"),
    ],
)
def test_gpu_and_driver_are_judged(
    doctor: Callable[[], dict[str, Any]],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    cuda: str | None,
    words: str | None,
) -> None:
    nvidia(home, monkeypatch, script)
    monkeypatch.setattr(machine, "torch_cuda", lambda: cuda)
    found = doctor()["gpu"]
    assert found["ok"] is (words is None)
    assert (words or "NVIDIA H100 (80 GiB); driver 560.35.03, torch for CUDA 12.8") in found["says"]


def test_versions_that_do_not_fit_are_named(
    doctor: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = machine._version
    monkeypatch.setattr(machine, "_version", lambda name: "1.0.0" if name == "torch" else version(name))
    found = doctor()["versions"]
    assert not found["ok"]
    assert "torchvision needs torch" in found["says"]
    assert "1.0.0 is installed" in found["says"]


@pytest.mark.redis
def test_redis_that_drops_keys_is_named(
    doctor: Callable[[], dict[str, Any]], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EIGENSCOPE_BROKER_URL", redis_url)
    found = doctor()["broker"]
    assert found["ok"], found
    assert "noeviction" in found["says"]
    info = "eigenscope.checks.services.Redis.info"
    answers = {"server": {"redis_version": "7.2.0"}, "memory": {"maxmemory_policy": "allkeys-lru"}}
    monkeypatch.setattr(info, lambda _self, section: answers[section])
    assert "drops keys to make room (allkeys-lru)" in doctor()["broker"]["says"]
    answers["server"]["redis_version"] = "5.0.14"
    assert "Redis 5.0.14 is older than 6.2" in doctor()["broker"]["says"]


def test_a_broker_that_is_away_is_named(
    doctor: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EIGENSCOPE_BROKER_URL", "redis://127.0.0.1:1/0")
    found = doctor()["broker"]
    assert not found["ok"]
    assert "does not answer" in found["says"]
