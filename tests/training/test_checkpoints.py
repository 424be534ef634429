"""A checkpoint is whole or not there; and it holds nothing that needs trust to be read."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from backend.errors import InvalidInput, NotFound, Unavailable
from worker.training import checkpoints

CPU = torch.device("cpu")


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = checkpoints.path_of(tmp_path / "new", 12)
    assert path.name == "checkpoint-00000012.pt"
    checkpoints.save(path, {"model": {"w": torch.arange(3)}, "iteration": 12})
    assert os.listdir(path.parent) == [path.name]
    assert checkpoints.load(path, "x")["model"]["w"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("place", ["fsync", "write"])
def test_full_disk_leaves_the_old_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path = checkpoints.path_of(tmp_path, 1)
    checkpoints.save(path, {"iteration": 1})
    before = path.read_bytes()

    def full(*_: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    if place == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(checkpoints, "_write", full)
    with pytest.raises(
        Unavailable, match=rf"no room for a checkpoint in {tmp_path}: it needs [\d,]+ bytes and"
    ):
        checkpoints.save(path, {"iteration": 1, "model": {"w": torch.zeros(1000)}})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_other_errors_of_the_disk_are_not_called_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        checkpoints.save(checkpoints.path_of(tmp_path, 1), {})
    assert os.listdir(tmp_path) == []


def test_unusable_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    with pytest.raises(NotFound, match=r"mine \(c.pt\) is gone from the disk; retry the run"):
        checkpoints.load(path, "mine")
    path.write_bytes(b"cut off")
    with pytest.raises(InvalidInput, match=r"mine \(c.pt\) cannot be read"):
        checkpoints.load(path, "mine")
    torch.save({"model": {}}, path)
    with pytest.raises(InvalidInput, match=r"mine \(c.pt\) was not written by this version"):
        checkpoints.load(path, "mine")


def test_random_generators_go_on_where_they_were(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, {"random": checkpoints.random_state(CPU)})
    drawn = random.random(), np.random.rand(), torch.rand(3).tolist()
    checkpoints.restore_random_state(checkpoints.load(path, "x")["random"], CPU)
    assert (random.random(), np.random.rand(), torch.rand(3).tolist()) == drawn


def test_leftovers_of_a_killed_trainer_go(tmp_path: Path) -> None:
    kept, weights = checkpoints.path_of(tmp_path, 5), checkpoints.weights_path_of(tmp_path, 4)
    for path in (kept, weights, checkpoints.path_of(tmp_path, 4)):
        checkpoints.save(path, {})
    (tmp_path / "checkpoint-00000006.77.tmp").write_bytes(b"half")
    (tmp_path / "weights-00000006.77.tmp").write_bytes(b"half")
    (tmp_path / "trainer.log").write_text("words")
    checkpoints.remove_others(tmp_path, [kept, weights])
    assert sorted(os.listdir(tmp_path)) == sorted([kept.name, weights.name, "trainer.log"])
