"""The loop: exact resumption, the probe's invisibility, the same data for all, and how it ends early."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.trained import same, weights
from worker.probe.maps import LayerSpectrum, ProbedLayer
from worker.training import checkpoints
from worker.training import loop as loop_module
from worker.training.errors import TrainingFailed
from worker.training.loop import Loop
from worker.training.optimiser import learning_rate
from worker.training.snapshots import Snapshots, rounding_warning

Maker = Callable[..., tuple[Loop, Any]]


@pytest.fixture
def wanted(specification: Callable[..., Any]) -> Any:
    return specification()


def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the loop take spectra in a side thread, as where it trains on a GPU."""
    monkeypatch.setattr(
        loop_module, "Snapshots", lambda probe, recorder, beside: Snapshots(probe, recorder, True)
    )


@pytest.mark.parametrize(
    ("statistics", "in_a_thread"), [("running", False), ("probe", False), ("running", True)]
)
def test_training_is_bit_identical_with_the_probe_on_and_off(
    make_loop: Maker,
    specification: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    statistics: str,
    in_a_thread: bool,
) -> None:
    off, quiet = make_loop(specification(), "off")
    off.run()
    if in_a_thread:
        beside(monkeypatch)
    probe = {"images": 3, "every": 2, "batch_statistics": statistics}
    on, probed = make_loop(specification(probe=probe, evaluate_every=2), "on")
    on.run()
    assert sorted(probed.snapshots) == [0, 1, 2, 4, 6]
    assert same(weights(off), weights(on))
    losses = {i: {n: v for n, v in point.items() if n != "ap"} for i, point in probed.losses().items()}
    assert losses == quiet.losses()


def test_data_order_does_not_depend_on_the_weights(
    make_loop: Maker, specification: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(name: str, **model: Any) -> list[list[float]]:
        loop, _ = make_loop(specification(model=model), name)
        sums: list[list[float]] = []
        losses = loop._update._losses

        def watched(batch: Any) -> Any:
            sums.append([image.double().sum().item() for image in batch.images])
            return losses(batch)

        monkeypatch.setattr(loop._update, "_losses", watched)
        loop.run()
        return sums

    one, other = seen("i", norm="batch"), seen("s", norm="group")
    assert one == other
    assert len({tuple(batch) for batch in one}) == 6


def test_what_is_recorded(make_loop: Maker, specification: Callable[..., Any]) -> None:
    wanted = specification(
        training={"clip_norm": 1.0}, probe={"images": 2, "every": 4}, evaluate_every=3, checkpoint_every=4
    )
    loop, memory = make_loop(wanted)
    loop.run()
    assert memory.progressed == [1, 2, 3, 4, 5, 6]
    names = {"loss", "loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}
    assert set(memory.points[1]) == names | {
        "lr",
        "data_wait",
        "wall_seconds",
        "probe_seconds",
        "gradient_norm",
    }
    assert set(memory.points.pop(0)) == {"probe_seconds"}
    assert memory.points[3]["evaluation_seconds"] > 0
    told = set(memory.points[3]) - set(memory.points[1])
    assert {name for name in told if "/" not in name and name != "evaluation_seconds"} == {
        f"ap{suffix}" for suffix in ("", "50", "75", "_small", "_medium", "_large")
    }
    assert {"ap/circle", "ap/star"} < told
    # What a forward pass costs is measured once, at the end.
    assert {"forward_seconds", "forward_bytes"} <= set(memory.points[6]) - set(memory.points[3])
    for iteration, point in memory.points.items():
        assert point["loss"] == pytest.approx(sum(point[name] for name in names - {"loss"}), rel=1e-6)
        assert point["lr"] == learning_rate(wanted.training, iteration - 1)
        assert 0 <= point["data_wait"] <= 1
    times = [memory.points[iteration]["wall_seconds"] for iteration in range(1, 7)]
    assert times == sorted(times)
    assert times[0] > 0
    assert sorted(memory.snapshots) == [0, 1, 2, 4, 6]
    row = memory.snapshots[6][0]
    assert row.dimensionality == sum(row.eigenvalues.astype(float) > 1e-3)
    assert (row.images, row.layer) == (2, 0)
    assert len(memory.results) == 2
    assert set(memory.results[0]) == {"ap", "ap50"}
    assert set(memory.phases) == {"probing", "training", "evaluating", "saving"}
    assert [memory.kept[6].kept_as[0], memory.file] == ["last", checkpoints.path_of(loop._parts.folder, 6)]


def test_a_loss_that_is_no_number_stops_before_the_update(
    make_loop: Maker, wanted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, memory = make_loop(wanted)
    losses = loop._update._losses

    def broken(batch: Any) -> Any:
        found = losses(batch)
        if loop.iteration == 2:
            found["loss_box_reg"] = found["loss_box_reg"] * math.nan
        return found

    monkeypatch.setattr(loop._update, "_losses", broken)
    steps: list[dict[str, torch.Tensor]] = []
    optimiser = loop._update._optimiser
    monkeypatch.setattr(optimiser, "step", lambda step=optimiser.step: (step(), steps.append(weights(loop))))
    sentence = (
        r"the loss became nan at iteration 3 \(loss_box_reg\); lower training.lr or lengthen the warm-up"
    )
    with pytest.raises(TrainingFailed, match=sentence):
        loop.run()
    assert len(steps) == 2
    parameters = dict(loop._model.named_parameters())
    assert all(
        torch.equal(value, parameters[name]) for name, value in steps[-1].items() if name in parameters
    )
    assert sorted(memory.points) == [1, 2]
    assert memory.file is None


def test_a_rate_far_too_high_is_told_as_such(make_loop: Maker, specification: Callable[..., Any]) -> None:
    wanted = specification(training={"lr": 100.0, "warmup": 0, "iterations": 30})
    with pytest.raises(
        TrainingFailed, match=r"the loss became (nan|inf) at iteration \d+ .*lower training.lr"
    ):
        make_loop(wanted)[0].run()


def test_gradients_without_end_are_not_applied(make_loop: Maker, specification: Callable[..., Any]) -> None:
    loop, _ = make_loop(specification(training={"clip_norm": 1.0}))
    next(loop._model.parameters()).register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(TrainingFailed, match=r"the gradient became (nan|inf) at iteration 1"):
        loop.run()


def test_bf16_trains(make_loop: Maker, specification: Callable[..., Any]) -> None:
    loop, memory = make_loop(specification(training={"amp": "bf16", "iterations": 3}))
    loop.run()
    assert all(math.isfinite(point["loss"]) for point in memory.points.values())
    assert all(value.dtype != torch.bfloat16 for value in weights(loop).values())


def test_frozen_stages_stay(make_loop: Maker, specification: Callable[..., Any]) -> None:
    wanted = specification(
        model={"norm": "frozen_batch"}, init={"kind": "run", "run_id": 1}, training={"trainable_stages": 3}
    )
    loop, _ = make_loop(wanted)
    before = weights(loop)
    loop.run()
    moved = {name for name, value in weights(loop).items() if not torch.equal(value, before[name])}
    assert "backbone.body.layer2.0.conv1.weight" in moved
    assert not any(name.startswith(("backbone.body.conv1", "backbone.body.layer1")) for name in moved)


def test_rate_rises_and_falls(specification: Callable[..., Any]) -> None:
    training = specification(
        training={"lr": 0.4, "warmup": 4, "milestones": (6, 8), "iterations": 10}
    ).training
    rates = [learning_rate(training, iteration) for iteration in range(10)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.04, 0.04, 0.004, 0.004])


def test_norms_and_biases_do_not_decay(make_loop: Maker, wanted: Any) -> None:
    loop, _ = make_loop(wanted)
    decays, spared = loop._update._optimiser.param_groups
    assert (decays["weight_decay"], spared["weight_decay"]) == (1e-4, 0)
    assert {p.ndim for p in decays["params"]} == {2, 4}
    assert {p.ndim for p in spared["params"]} == {1}
    counted = len(decays["params"]) + len(spared["params"])
    assert counted == len(list(loop._model.parameters()))


def test_spectra_under_way_are_recorded_before_a_checkpoint_and_before_a_failure(
    make_loop: Maker, specification: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside(monkeypatch)
    loop, memory = make_loop(specification(probe={"images": 2, "every": 2}, checkpoint_every=2))
    recorded: list[list[int]] = []
    save = checkpoints.save

    def watched(path: Path, state: Any) -> None:
        if path.name.startswith("checkpoint"):
            recorded.append(sorted(memory.snapshots))
        save(path, state)

    monkeypatch.setattr(checkpoints, "save", watched)
    loop.run()
    assert recorded == [[0, 1, 2], [0, 1, 2, 4], [0, 1, 2, 4, 6]]

    loop, memory = make_loop(specification(probe={"images": 2, "every": 2}), "failing")
    step = loop._step

    def fail(batches: Any) -> None:
        if loop.iteration == 2:
            raise TrainingFailed("the loss became nan")
        step(batches)

    monkeypatch.setattr(loop, "_step", fail)
    with pytest.raises(TrainingFailed):
        loop.run()
    assert sorted(memory.snapshots) == [0, 1, 2]


def test_a_floor_above_the_papers_threshold_is_said(caplog: pytest.LogCaptureFixture) -> None:
    def spectrum(name: str, lambda_1: float) -> LayerSpectrum:
        layer = ProbedLayer(name, "block", "layer1", 2, 0)
        return LayerSpectrum(layer, np.array([lambda_1, 0.5]), lambda_1 + 0.5, lambda_1, 1, 9)

    assert rounding_warning([spectrum("a", 8000.0)]) == ""
    warning = rounding_warning([spectrum("a", 8000.0), spectrum("b", 2e4), spectrum("c", 123456.0)])
    assert warning.startswith(
        "in 2 layers λ1 is so large, up to 1.23e+05 in c, that eigenvalues about 0.001 are"
    )
