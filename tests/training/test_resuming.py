"""A run that was stopped, wherever that was, ends bit for bit like one that was not: weights, losses and spectra."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from backend.errors import Unavailable
from tests.training.conftest import TINY, TINY_BODY
from tests.training.trained import StopAfter, StopDuring, same, weights
from worker.training import checkpoints
from worker.training.loop import Loop
from worker.training.stopping import StopRequested

Maker = Callable[..., tuple[Loop, Any]]

DETECTOR = {
    "probe": {"images": 2, "every": 3},
    "evaluate_every": 4,
    "checkpoint_every": 3,
    "checkpoint_keep": ["best", "snapshots"],
}
JITTERED = {"image_size_min": 48, "flip": True, "clip_norm": 5.0}
KINDS: dict[str, dict[str, Any]] = {
    "batch norm, scale jitter": {"model": {"norm": "batch"}, "training": JITTERED, **DETECTOR},
    "group norm, bf16": {"model": {"norm": "group"}, "training": {"amp": "bf16"}, **DETECTOR},
    "mask_rcnn": {
        "model": {"architecture": "mask_rcnn", "widths": TINY | {"mask_head": 8}},
        "training": JITTERED,
        **DETECTOR,
    },
    "retinanet": {
        "model": {
            "architecture": "retinanet",
            "norm": "group",
            "widths": TINY_BODY | {"fpn": 8, "retina_head": 8},
        },
        **DETECTOR,
    },
    "classifier": {"model": {"architecture": "classifier"}, **DETECTOR},
}


def snapshots(memory: Any) -> dict[int, list[Any]]:
    return {i: [row.eigenvalues for row in rows] for i, rows in memory.snapshots.items()}


def demand_same(straight: tuple[Loop, Any], loops: list[Loop], memories: list[Any]) -> None:
    """Compare a run of one piece with one of several, all in the same order."""
    loop, whole = straight
    assert same(weights(loop), weights(loops[-1]))
    losses: dict[int, Any] = {}
    spectra: dict[int, list[Any]] = {}
    for memory in memories:
        for iteration, point in memory.losses().items():
            losses.setdefault(iteration, {}).update(point)
        spectra |= snapshots(memory)
    assert losses == whole.losses()
    times = [point.get("wall_seconds", 0.0) for memory in memories for point in memory.points.values()]
    told = [seconds for seconds in times if seconds]
    assert told == sorted(told), "the clock goes on where the piece before ended"
    expected = snapshots(whole)
    assert sorted(spectra) == sorted(expected)
    for iteration, values in expected.items():
        assert all(map(np.array_equal, values, spectra[iteration]))
    assert {i: m.kept_as for i, m in memories[-1].kept.items()} == {
        i: m.kept_as for i, m in whole.kept.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_stopped_while_probing_training_and_evaluating_it_ends_the_same(
    make_loop: Maker, specification: Callable[..., Any], kind: str
) -> None:
    wanted = specification(**KINDS[kind])
    whole = make_loop(wanted, "whole")
    whole[0].run()
    moments = [
        (0, "probing"),
        (1, "probing"),
        (2, "training"),
        (4, "evaluating"),
        (4, "training"),
        (6, "probing"),
    ]
    stop = StopDuring(*moments)
    loops: list[Loop] = []
    memories: list[Any] = []
    for _ in range(len(moments) + 1):
        loop, memory = make_loop(
            wanted, "pieces", stop, tuple(memories[-1].kept.values()) if memories else ()
        )
        memory.on_phase = lambda phase, loop=loop: stop.told(loop.iteration, phase)
        if memories:
            torch.rand(7)
            loop.restore(checkpoints.load(memories[-1].file, "x"))
        loops.append(loop)
        memories.append(memory)
        with nullcontext() if len(loops) > len(moments) else pytest.raises(StopRequested):
            loop.run()
    assert [loop.iteration for loop in loops] == [0, 1, 2, 4, 4, 6, 6]
    demand_same(whole, loops, memories)


def test_a_disk_full_while_saving_keeps_what_was_there(
    make_loop: Maker, specification: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = specification(**KINDS["batch norm, scale jitter"])
    whole = make_loop(wanted, "whole")
    whole[0].run()
    first, before = make_loop(wanted, "full")
    save = checkpoints.save

    def full(path: Path, state: Any) -> None:
        if path.name == "checkpoint-00000004.pt":
            raise Unavailable("no room for a checkpoint")
        save(path, state)

    monkeypatch.setattr(checkpoints, "save", full)
    with pytest.raises(Unavailable):
        first.run()
    monkeypatch.setattr(checkpoints, "save", save)
    assert before.file == checkpoints.path_of(first._parts.folder, 3)
    second, after = make_loop(wanted, "full", kept=tuple(before.kept.values()))
    second.restore(checkpoints.load(before.file, "x"))
    second.run()
    demand_same(whole, [first, second], [before, after])


def test_a_trainer_killed_while_writing_goes_on_from_the_one_before(
    make_loop: Maker, specification: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = specification(checkpoint_every=2)
    loop, memory = make_loop(wanted)

    class Killed(BaseException):
        """No handler of ours catches it, as none could a kill."""

    def killed(_path: Path, _content: memoryview) -> NoReturn:
        raise Killed

    write = checkpoints._write
    monkeypatch.setattr(
        checkpoints, "_write", lambda path, content: (write if loop.iteration < 4 else killed)(path, content)
    )
    with pytest.raises(Killed):
        loop.run()
    assert checkpoints.load(memory.file, "x")["iteration"] == 2


def test_resuming_looks_again_only_where_it_had_not(
    make_loop: Maker, specification: Callable[..., Any]
) -> None:
    wanted = specification(probe={"images": 2, "every": 3}, checkpoint_every=3)
    loop, memory = make_loop(wanted, stop=StopAfter(1))
    with pytest.raises(StopRequested):
        loop.run()
    assert loop.iteration == 0
    assert memory.snapshots == {}
    again, memory = make_loop(wanted)
    again.restore(checkpoints.load(checkpoints.path_of(loop._parts.folder, 0), "x"))
    again.run()
    assert sorted(memory.snapshots) == [0, 1, 2, 3, 6]
    finished, memory = make_loop(wanted)
    finished.restore(checkpoints.load(checkpoints.path_of(loop._parts.folder, 6), "x"))
    finished.run()
    assert memory.snapshots == {}
