"""Which checkpoints stay: the last whole, the best and the snapshots as weights, within a budget."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import Memory
from worker.training import checkpoints
from worker.training.saving import Saver

WEIGHTS = {"model": {"w": torch.zeros(10_000)}}
BOTH = ("best", "snapshots")


def saver(folder: Path, memory: Memory, wanted: tuple[str, ...] = BOTH, budget: float = 1e9) -> Saver:
    return Saver(folder, memory, wanted, budget, tuple(memory.kept.values()))


def reasons(memory: Memory) -> dict[int, tuple[str, ...]]:
    return {iteration: row.kept_as for iteration, row in memory.kept.items()}


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_each_is_kept_for_its_reason_and_no_longer(tmp_path: Path, memory: Memory) -> None:
    one = saver(tmp_path, memory)
    one.snapshot(0, WEIGHTS)
    one.judge(2, {"ap": 0.3, "ap50": 0.9}, WEIGHTS)
    one.save(2, WEIGHTS | {"optimiser": {}})
    assert reasons(memory) == {0: ("snapshot",), 2: ("last", "best")}
    one.judge(4, {"ap": 0.2, "ap50": 1.0}, WEIGHTS)
    one.save(4, WEIGHTS)
    assert reasons(memory) == {0: ("snapshot",), 2: ("best",), 4: ("last",)}
    one.snapshot(6, WEIGHTS)
    one.judge(6, {"ap": 0.4}, WEIGHTS)
    one.save(6, WEIGHTS)
    assert reasons(memory) == {0: ("snapshot",), 6: ("last", "best", "snapshot")}
    names = ["checkpoint-00000006.pt", "weights-00000000.pt", "weights-00000006.pt"]
    assert sorted(os.listdir(tmp_path)) == names
    assert memory.kept[6].bytes == sum((tmp_path / name).stat().st_size for name in names if "6" in name)
    one.save(7, WEIGHTS)
    assert memory.kept[6].file.name == "weights-00000006.pt"
    assert all(row.file.exists() for row in memory.kept.values())


def test_while_the_database_is_away_nothing_that_it_may_name_is_removed(
    tmp_path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = saver(tmp_path, memory, ())
    one.save(1, WEIGHTS)
    with monkeypatch.context() as away:
        away.setattr(memory, "checkpoints", lambda _rows: False)
        one.save(2, WEIGHTS)
        one.save(3, WEIGHTS)
    assert sorted(os.listdir(tmp_path)) == [f"checkpoint-0000000{k}.pt" for k in (1, 2, 3)]
    one.save(4, WEIGHTS)
    assert os.listdir(tmp_path) == ["checkpoint-00000004.pt"]


@pytest.mark.parametrize(
    ("result", "best"),
    [({"mask_ap": 0.1, "ap": 0.9}, 0.1), ({"ap": 0.5, "ap50": 0.7}, 0.5), ({"top1": 0.8}, 0.8)],
)
def test_the_best_is_by_mask_ap_else_ap_else_top1(
    tmp_path: Path, memory: Memory, result: dict[str, float], best: float
) -> None:
    one = saver(tmp_path, memory)
    one.judge(1, result, WEIGHTS)
    assert one.best == best


def test_what_is_not_wanted_or_undefined_is_not_kept(tmp_path: Path, memory: Memory) -> None:
    none = saver(tmp_path, memory, ())
    none.snapshot(0, WEIGHTS)
    none.judge(1, {"ap": 0.5}, WEIGHTS)
    undefined = saver(tmp_path, memory)
    undefined.judge(1, {"ap": float("nan")}, WEIGHTS)
    assert (memory.kept, os.listdir(tmp_path)) == ({}, [])


def test_beyond_the_budget_the_oldest_snapshots_go_first_and_never_the_last(
    tmp_path: Path, memory: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    one = saver(tmp_path, memory, budget=4.5 * 41_000)
    one.judge(1, {"ap": 0.5}, WEIGHTS)
    for iteration in (2, 3, 4):
        one.snapshot(iteration, WEIGHTS)
    assert caplog.records == []
    one.save(5, WEIGHTS)
    assert reasons(memory) == {1: ("best",), 3: ("snapshot",), 4: ("snapshot",), 5: ("last",)}
    assert "removing that of iteration 2 (snapshot)" in caplog.text
    small = saver(tmp_path, memory, budget=1.0)
    small.save(6, WEIGHTS)
    assert reasons(memory) == {6: ("last",)}
    assert "the last checkpoint alone takes" in caplog.text
    assert sorted(os.listdir(tmp_path)) == ["checkpoint-00000006.pt"]


def test_what_lies_after_the_last_is_made_again(tmp_path: Path, memory: Memory) -> None:
    one = saver(tmp_path, memory)
    one.snapshot(0, WEIGHTS)
    one.save(1, WEIGHTS)
    one.snapshot(2, WEIGHTS)
    again = saver(tmp_path, memory)
    again.save(1, WEIGHTS)
    assert reasons(memory) == {0: ("snapshot",), 1: ("last",)}


def test_a_run_keeps_what_its_snapshots_saw(
    make_loop: Callable[..., Any], specification: Callable[..., Any]
) -> None:
    wanted = specification(
        probe={"images": 2, "every": 3}, checkpoint_keep=["snapshots", "best"], evaluate_every=4
    )
    loop, memory = make_loop(wanted)
    start = loop._model.state_dict()["backbone.body.conv1.weight"].clone()
    loop.run()
    # An evaluation that is better than those before is kept too; two at 0 are no better than the first.
    assert sorted(set(reasons(memory)) - {4}) == [0, 1, 2, 3, 6]
    assert reasons(memory)[6][0] == "last"
    assert sum("best" in why for why in reasons(memory).values()) == 1
    first = checkpoints.load(memory.kept[0].file, "x")
    assert set(first) == {"format", "architecture", "iteration", "model"}
    assert torch.equal(first["model"]["backbone.body.conv1.weight"], start)
