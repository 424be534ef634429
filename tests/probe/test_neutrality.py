"""A training is the same, bit for bit, with the probe and without."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from worker.probe import probe as probe_module
from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe, ProbeStopped

STEPS = 3


def targets(images: list[Tensor]) -> list[dict[str, Tensor]]:
    boxes = torch.tensor([[5.0, 5.0, 40.0, 40.0], [20.0, 10.0, 45.0, 30.0]])
    return [{"boxes": boxes, "labels": torch.tensor([1, 2])} for _ in images]


def train(model: nn.Module, images: list[Tensor], probe: EigenspectrumProbe | None):
    """Return everything that training may leave behind: weights, buffers, gradients, momenta, losses, next draws."""
    torch.manual_seed(11)
    random.seed(11)
    np.random.seed(11)
    model.train()
    model.backbone.body.layer1.eval()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.01, momentum=0.9)
    losses = []
    for step in range(STEPS):
        if probe is not None:
            probe.measure()
        optimiser.zero_grad()
        loss = sum(model(images[step : step + 2], targets(images[:2])).values())
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    if probe is not None:
        probe.measure()
    draws = [torch.rand(4), torch.tensor(np.random.rand(4)), torch.tensor(random.random())]
    momenta = [optimiser.state[parameter]["momentum_buffer"] for parameter in trained]
    gradients = [parameter.grad for parameter in trained]
    return [*model.state_dict().values(), *momenta, *gradients, *losses, *draws]


@pytest.mark.parametrize(
    ("norm", "statistics"),
    [("batch", "running"), ("batch", "probe"), ("frozen", "running"), ("group", "running")],
)
def test_training_is_bit_identical(make_detector, images, norm, statistics) -> None:
    alone = train(make_detector(norm), images, None)
    model = make_detector(norm)
    torch.manual_seed(99)
    probe = EigenspectrumProbe(
        model,
        images,
        maps=KINDS,
        layers="norm1|layer4.0$|fpn.p5|rpn|fc6",
        batch_statistics=statistics,
    )
    probed = train(model, images, probe)
    assert len(alone) == len(probed)
    assert all(torch.equal(one, other) for one, other in zip(alone, probed, strict=True))
    assert not any(torch.isnan(value).any() for value in alone)


def state(model: nn.Module):
    """Return what a measurement may not touch, by identity."""
    return (
        [(name, module.training, dict(module._buffers)) for name, module in model.named_modules()],
        [(id(parameter), parameter.requires_grad, parameter.grad) for parameter in model.parameters()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


def same(before, after) -> bool:
    modules = zip(before[0], after[0], strict=True)
    buffers_kept = all(
        one[:2] == other[:2] and all(one[2][key] is other[2][key] for key in one[2]) for one, other in modules
    )
    return buffers_kept and before[1:] == after[1:]


@pytest.mark.parametrize("statistics", ["running", "probe"])
@pytest.mark.parametrize("ending", ["finished", "stopped", "failed"])
def test_a_model_is_left_as_it_was_however_a_measurement_ends(
    monkeypatch, make_detector, images, statistics, ending
) -> None:
    model = make_detector().train()
    model.backbone.body.layer1.eval()
    model.backbone.body.conv1.requires_grad_(False)
    before = state(model)
    asked: list[int] = []
    probe = EigenspectrumProbe(
        model,
        images,
        maps=("norm", "box_head"),
        layers="layer1|fc6",
        batch_statistics=statistics,
        should_stop=lambda: asked.append(1) or (ending == "stopped" and len(asked) > 1),
    )
    assert same(before, state(model))
    if ending == "failed":
        monkeypatch.setattr(probe_module.Covariance, "add", lambda self, images: 1 / 0)
    ends = {"finished": (), "stopped": ProbeStopped, "failed": ZeroDivisionError}
    if ending == "finished":
        probe.measure()
    else:
        with pytest.raises(ends[ending]):
            probe.measure()
    assert same(before, state(model))


def test_autocast_around_it_changes_nothing(make_body) -> None:
    probe = EigenspectrumProbe(make_body(), list(torch.rand(2, 3, 64, 64)), maps=("block",))
    expected = probe.measure()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.is_autocast_enabled("cpu")
        measured = probe.measure()
        assert torch.is_autocast_enabled("cpu")
    for one, other in zip(measured, expected, strict=True):
        assert np.array_equal(one.eigenvalues, other.eigenvalues)


def test_what_a_model_caches_while_probed_can_be_trained_with(make_detector, images) -> None:
    model = make_detector().train()
    EigenspectrumProbe(model, images[:1], maps=("box_head",)).measure()
    sum(model(images[:2], targets(images[:2])).values()).backward()
    assert model.backbone.body.conv1.weight.grad is not None
