"""Batch norm with the probe set's own statistics."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from backend.errors import InvalidInput
from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe


def close(measured, expected, tolerance: float) -> bool:
    return all(
        np.abs(one.eigenvalues - other.eigenvalues).max() <= tolerance * other.lambda_1
        for one, other in zip(measured, expected, strict=True)
    )


def test_they_are_what_one_training_batch_of_all_images_would_use(make_body) -> None:
    model = make_body()
    images = list(torch.rand(6, 3, 64, 96, generator=torch.Generator().manual_seed(0)))
    probe = EigenspectrumProbe(model, images, maps=KINDS, batch_statistics="probe")
    measured = probe.measure()

    reference = copy.deepcopy(model).train()
    norms = [module for module in reference.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(_keep_biased_statistics) for norm in norms]
    with torch.no_grad():
        reference(torch.stack(images))
    for hook in hooks:
        hook.remove()
    assert close(measured, EigenspectrumProbe(reference, images, maps=KINDS).measure(), 1e-5)
    assert not close(measured, EigenspectrumProbe(model, images, maps=KINDS).measure(), 1e-2)


def _keep_biased_statistics(norm: nn.BatchNorm2d, arguments: tuple[torch.Tensor, ...]) -> None:
    """Store what a norm in training mode normalises with; its own running variance is the unbiased one."""
    variance, mean = torch.var_mean(arguments[0], dim=(0, 2, 3), correction=0)
    norm.momentum = 0.0
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


def test_batches_order_and_sizes_change_nothing(make_detector, images) -> None:
    options = {"maps": ("norm", "block", "fpn"), "batch_statistics": "probe"}
    model = make_detector()
    expected = EigenspectrumProbe(model, images, **options).measure()
    for other in (
        EigenspectrumProbe(model, images, batch_size=1, **options),
        EigenspectrumProbe(model, images[::-1], batch_size=4, **options),
    ):
        assert close(other.measure(), expected, 1e-5)


def test_each_image_counts_the_same_and_padding_not_at_all(make_detector, images) -> None:
    model = make_detector()
    with torch.no_grad():
        for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.weight.fill_(1)
            norm.bias.zero_()
    probe = EigenspectrumProbe(model, images, maps=("norm",), batch_statistics="probe")
    for spectrum in probe.measure():
        # Normalised by its own statistics, every channel has mean square 1 (less by ε), so the trace is the width.
        assert spectrum.trace == pytest.approx(spectrum.layer.width, rel=2e-2), spectrum.layer.name


@pytest.mark.parametrize("norm", ["frozen", "group"])
def test_norms_without_batch_statistics_stay(make_detector, images, norm) -> None:
    model = make_detector(norm)
    measured = EigenspectrumProbe(model, images, maps=KINDS, batch_statistics="probe").measure()
    expected = EigenspectrumProbe(model, images, maps=KINDS).measure()
    assert all(np.array_equal(a.eigenvalues, b.eigenvalues) for a, b in zip(measured, expected, strict=True))


def test_a_batch_norm_elsewhere_is_refused(make_detector, images) -> None:
    model = make_detector()
    model.roi_heads.box_head.norm = nn.BatchNorm1d(20)
    probe = EigenspectrumProbe(model, images, maps=("act",), batch_statistics="probe")
    with pytest.raises(InvalidInput, match=r"roi_heads\.box_head\.norm.*take 'running'"):
        probe.measure()


class OwnNetwork(nn.Module):
    """Norms that no residual network has; the last is called twice if told to."""

    def __init__(self, twice: bool = False) -> None:
        super().__init__()
        self.before, self.mix, self.after = nn.BatchNorm2d(3), nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)
        self.twice = twice

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.after(self.mix(self.before(x)).relu())
        return self.after(x) if self.twice else x


def test_any_models_norms_get_the_statistics_of_what_they_take_in() -> None:
    torch.manual_seed(3)
    model = OwnNetwork().eval()
    images = list(3 + 2 * torch.randn(4, 3, 12, 15))
    before, after = EigenspectrumProbe(model, images, maps=("norm",), batch_statistics="probe").measure()
    with torch.no_grad():
        x = torch.stack(images)
        for norm, spectrum in ((model.before, before), (model.after, after)):
            variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0, keepdim=True)
            x = (x - mean) / (variance + norm.eps).sqrt()
            positions = x.movedim(1, 0).flatten(1).double().numpy()
            expected = np.linalg.eigvalsh(positions @ positions.T / positions.shape[1])[::-1]
            assert np.abs(spectrum.eigenvalues - expected).max() <= 1e-5 * expected[0]
            x = model.mix(x).relu() if norm is model.before else x


def test_a_norm_that_is_called_twice_has_no_statistics_of_its_own() -> None:
    probe = EigenspectrumProbe(
        OwnNetwork(twice=True), [torch.rand(3, 9, 9)], maps=("norm",), batch_statistics="probe"
    )
    with pytest.raises(
        InvalidInput, match="for the batch norm 'after', which is called several times in a pass"
    ):
        probe.measure()
