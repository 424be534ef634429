"""Batch norm over processes: exactly batch norm in one, and in two that of the batch that both have together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from worker.probe.affine import pointwise
from worker.probe.probe import EigenspectrumProbe
from worker.training.backbones import he_initialise
from worker.training.norms import SynchronisedBatchNorm

SHARES = [3, 1]
"""Images of each process."""
Made = dict[str, Any]


def network(norm: Callable[[int], nn.Module]) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 5, 3), norm(5), nn.ReLU(), nn.Conv2d(5, 4, 3), norm(4))


def distinct(model: nn.Module) -> nn.Module:
    """Give norms weights, biases and statistics that tell channels apart."""
    generator = torch.Generator().manual_seed(2)
    for name, tensor in model.state_dict().items():
        if tensor.ndim == 1:
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + ("var" in name))
    return model


@pytest.fixture(scope="module")
def work() -> Made:
    torch.manual_seed(1)
    model = distinct(network(nn.BatchNorm2d)).double()
    images = torch.randn(sum(SHARES), 3, 9, 8, dtype=torch.float64) + 3
    weights = torch.randn(sum(SHARES), 4, 5, 4, dtype=torch.float64)
    return {"state": model.state_dict(), "images": images, "weights": weights, "shares": SHARES}


@pytest.fixture(scope="module")
def together(work: Made) -> Made:
    """What plain batch norm gives for the whole batch, in one process."""
    model = network(nn.BatchNorm2d).double()
    model.load_state_dict(work["state"])
    images = work["images"].clone().requires_grad_(True)
    maps = model(images)
    torch.autograd.backward((maps * work["weights"]).sum())
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"maps": maps.detach(), "images": images.grad, "gradients": gradients, "model": model}


@pytest.fixture(scope="module")
def shared(work: Made, tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """What two processes find that each have a part of the batch."""
    folder = tmp_path_factory.mktemp("processes")
    torch.save(work, folder / "work.pt")
    script = Path(__file__).with_name("norm_process.py")
    started = [
        subprocess.Popen(
            [sys.executable, script, str(rank), folder / "store", folder / "work.pt", folder / f"{rank}.pt"]
        )
        for rank in range(2)
    ]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def joined(shared: list[Made], name: str) -> Tensor:
    return torch.cat([found[name] for found in shared])


def test_two_processes_normalise_as_one_with_the_whole_batch(together: Made, shared: list[Made]) -> None:
    torch.testing.assert_close(joined(shared, "maps"), together["maps"], rtol=1e-12, atol=1e-12)


def test_and_so_do_their_gradients(together: Made, shared: list[Made]) -> None:
    torch.testing.assert_close(joined(shared, "images"), together["images"], rtol=1e-10, atol=1e-12)
    for name, expected in together["gradients"].items():
        summed = shared[0]["gradients"][name] + shared[1]["gradients"][name]
        torch.testing.assert_close(summed, expected, rtol=1e-10, atol=1e-10)
        assert not torch.equal(shared[0]["gradients"][name], shared[1]["gradients"][name])


def test_and_their_running_statistics(together: Made, shared: list[Made]) -> None:
    for name, expected in together["model"].state_dict().items():
        assert torch.equal(shared[0]["state"][name], shared[1]["state"][name])
        torch.testing.assert_close(shared[0]["state"][name], expected, rtol=1e-12, atol=0)


def test_evaluation_waits_for_nobody(work: Made, together: Made, shared: list[Made]) -> None:
    expected = together["model"].eval()(work["images"].split(SHARES)[1])
    torch.testing.assert_close(shared[1]["alone"], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_process_is_exactly_batch_norm(dtype: torch.dtype) -> None:
    maps = torch.randn(2, 6, 5, 7).to(dtype)
    ours, theirs = distinct(SynchronisedBatchNorm(6)), distinct(nn.BatchNorm2d(6))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for _ in range(2):
        assert torch.equal(ours(maps), theirs(maps))
    assert all(torch.equal(a, b) for a, b in zip(ours.buffers(), theirs.buffers(), strict=True))
    assert torch.equal(ours.eval()(maps), theirs.eval()(maps))


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected maps \(N, C, H, W\), not a tensor of shape \(2, 6\)"):
        SynchronisedBatchNorm(6)(torch.randn(2, 6))


def test_the_probe_derives_maps_through_it() -> None:
    assert pointwise(SynchronisedBatchNorm(4)) is not None


@pytest.mark.parametrize("statistics", ["running", "probe"])
def test_the_probe_reads_it_as_batch_norm(statistics: Any) -> None:
    images = list(torch.randn(3, 3, 12, 12))
    spectra = []
    for norm in (SynchronisedBatchNorm, nn.BatchNorm2d):
        torch.manual_seed(0)
        model = distinct(network(norm))
        he_initialise(model)
        probe = EigenspectrumProbe(model, images, maps=("conv", "norm"), batch_statistics=statistics)
        spectra.append([spectrum.eigenvalues for spectrum in probe.measure()])
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(*spectra, strict=True))
