"""float16: the loss is scaled, a step whose gradients overflowed is skipped, and a broken loss still ends the run.

torch's scaler works on a CPU as well; that a run may have it on a GPU only is the session's to demand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch

from tests.training.trained import same, weights
from worker.training import checkpoints
from worker.training.errors import TrainingFailed
from worker.training.loop import Loop

Maker = Callable[..., tuple[Loop, Any]]
FP16 = {"model": {"architecture": "classifier"}, "training": {"amp": "fp16", "iterations": 4, "warmup": 0}}


SCALE = 2.0**6
"""Low enough for nothing to overflow by itself."""


def scale(loop: Loop, value: float) -> None:
    scaler = loop._update._scaler
    scaler.load_state_dict(scaler.state_dict() | {"scale": value})


@pytest.fixture
def half(make_loop: Maker, specification: Callable[..., Any]) -> tuple[Loop, Any]:
    return make_loop(specification(**FP16))


def overflow(loop: Loop, at: set[int]) -> None:
    """Let gradients be infinite at these iterations."""
    parameter = loop._update._parameters[0]
    parameter.register_hook(lambda gradient: gradient * math.inf if loop.iteration in at else gradient)


def test_it_trains_and_its_scale_is_kept(
    half: tuple[Loop, Any], make_loop: Maker, specification: Callable[..., Any]
) -> None:
    loop, memory = half
    before = weights(loop)
    scale(loop, SCALE)
    loop.run()
    assert all(point["gradient_scale"] == SCALE for point in memory.points.values() if "loss" in point)
    assert all(value.dtype != torch.float16 for value in weights(loop).values())
    assert not same(before, weights(loop))
    state = checkpoints.load(memory.file, "x")
    state["scaler"]["scale"] = 8.0
    again, _ = make_loop(specification(**FP16), "again")
    again.restore(state)
    assert again._update._scaler.get_scale() == 8.0


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_step_that_overflowed_is_skipped(
    make_loop: Maker, specification: Callable[..., Any], clip: float | None
) -> None:
    wanted = specification(model=FP16["model"], training=FP16["training"] | {"clip_norm": clip})
    loop, memory = make_loop(wanted)
    scale(loop, SCALE)
    overflow(loop, {1})
    seen: list[list[torch.Tensor]] = []
    step = loop._step

    def watched(batches: Any) -> None:
        step(batches)
        seen.append([p.detach().clone() for p in loop._update._parameters])

    loop._step = watched  # type: ignore[method-assign]
    loop.run()
    moved = [not all(map(torch.equal, a, b)) for a, b in pairwise(seen)]
    assert moved == [False, True, True]
    assert [memory.points[i]["gradient_scale"] for i in (1, 2, 3)] == [SCALE, SCALE / 2, SCALE / 2]
    assert ("gradient_norm" in memory.points[1], "gradient_norm" in memory.points[2]) == (
        clip is not None,
        False,
    )


def test_gradients_that_overflow_at_every_scale_end_the_run(half: tuple[Loop, Any]) -> None:
    loop, _ = half
    overflow(loop, {0})
    scale(loop, 1e-4)
    with pytest.raises(
        TrainingFailed, match=r"overflow in float16 at iteration 1, .* set training\.amp to bf16"
    ):
        loop.run()


def test_a_loss_that_is_no_number_is_no_overflow(
    half: tuple[Loop, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, _ = half
    losses = loop._update._losses
    monkeypatch.setattr(
        loop._update, "_losses", lambda batch: {n: v * math.inf for n, v in losses(batch).items()}
    )
    before = weights(loop)
    with pytest.raises(TrainingFailed, match="the loss became inf at iteration 1"):
        loop.run()
    parameters = dict(loop._model.named_parameters())
    assert all(torch.equal(value, before[name]) for name, value in parameters.items())
