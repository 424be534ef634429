"""Every derived spectrum is the one that adding up gives, on trained and untrained networks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models import resnet50

from backend.spectra.criteria import dimensionality
from backend.spectra.precision import resolved
from worker.probe.affine import AffineMap, compose, parameters
from worker.probe.maps import KINDS
from worker.probe.moments import MatrixMoments, PositionMoments
from worker.probe.probe import EigenspectrumProbe

BODY = ("conv", "norm", "act", "block")


def train(model: nn.Module, images: list[Tensor], steps: int = 8) -> None:
    """Train a detector a little, as its statistics and weights are then no longer those of a fresh one."""
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    targets = [{"boxes": torch.tensor([[5.0, 5.0, 40.0, 40.0]]), "labels": torch.tensor([1])}] * 2
    for _ in range(steps):
        optimiser.zero_grad()
        sum(model(images[:2], targets).values()).backward()
        optimiser.step()


def assert_alike(model: nn.Module, images: list[Tensor], **options: object) -> None:
    derived = EigenspectrumProbe(model, images, **options)
    assert derived.plan.derived
    added = EigenspectrumProbe(model, images, shortcuts=False, **options)
    compared = 0
    for one, other in zip(derived.measure(), added.measure(), strict=True):
        name = one.layer.name
        assert (one.layer, one.images, one.positions) == (other.layer, other.images, other.positions)
        assert np.abs(one.eigenvalues - other.eigenvalues).max() <= 1e-6 * other.lambda_1, name
        assert one.trace == pytest.approx(other.trace, rel=1e-6)
        if resolved(1e-3, other.lambda_1):
            counts = [dimensionality(s.eigenvalues, "absolute") for s in (one, other)]
            assert counts[0] == counts[1], name
            compared += 1
    assert compared > len(added.layers) / 2


@pytest.mark.parametrize("statistics", ["running", "probe"])
@pytest.mark.parametrize("steps", [0, 8])
def test_a_detector(
    make_detector: Callable[..., nn.Module], images: list[Tensor], steps: int, statistics: str
) -> None:
    model = make_detector("batch")
    train(model, images, steps)
    assert_alike(model, images, maps=KINDS, batch_statistics=statistics)


@pytest.mark.parametrize("norm", ["frozen", "group"])
def test_other_norms(make_detector: Callable[..., nn.Module], images: list[Tensor], norm: str) -> None:
    model = make_detector(norm)
    train(model, images)
    assert_alike(model, images, maps=KINDS)


@pytest.mark.parametrize("size", [64, 160])
def test_a_resnet50_with_fewer_positions_than_channels_and_with_more(size: int) -> None:
    torch.manual_seed(0)
    images = list(torch.rand(3, 3, size, size))
    assert_alike(resnet50(), images, maps=BODY, layers=r"^layer2\.0")


@pytest.mark.parametrize("derived", [True, False])
def test_a_derived_map_that_weights_spoil_is_named(make_body: Callable[[], nn.Module], derived: bool) -> None:
    model = make_body()
    with torch.no_grad():
        model.layer3[0].conv3.weight[0, 0] = torch.nan
    probe = EigenspectrumProbe(model, list(torch.rand(2, 3, 64, 64)), maps=BODY, shortcuts=derived)
    with pytest.raises(Exception, match=r"'layer3\.0\.conv3' holds NaN"):
        probe.measure()


def random_chain(generator: torch.Generator, widths: list[int], bias: bool) -> list[nn.Module]:
    """Return 1x1 convolutions of these widths, each followed by a batch norm with statistics of its own."""
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        convolution, norm = nn.Conv2d(inputs, outputs, 1, bias=bias), nn.BatchNorm2d(outputs).eval()
        for tensor in (*convolution.parameters(), norm.running_mean, norm.weight, norm.bias):
            tensor.data.normal_(generator=generator)
        norm.running_var.uniform_(0.5, 2, generator=generator)
        modules += [convolution, norm]
    return modules


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=4),
    st.lists(st.integers(0, 20), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.integers(0, 10_000),
)
def test_a_chain_of_affine_maps(
    widths: list[int], counts: list[int], bias: bool, scaling_first: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    modules = random_chain(generator, widths, bias)[1 if scaling_first else 0 :]
    inputs = widths[1] if scaling_first else widths[0]
    images = [torch.randn(inputs, count, generator=generator).double() + 1 for count in counts]
    present = [x.numpy() for x in images if x.shape[1]]
    with torch.no_grad():
        outputs = []
        for x in present:
            y = torch.from_numpy(x)[None, :, :, None]
            for module in modules:
                y = module.double()(y)
            outputs.append(y[0, :, :, 0].numpy())
    width, n = widths[-1], len(present)
    dense = sum((y @ y.T / y.shape[1] for y in outputs), np.zeros((width, width))) / max(n, 1)
    expected = np.linalg.eigvalsh(dense)[::-1]
    step = compose(parameters(modules))
    matrix = sum((x @ x.T / x.shape[1] for x in present), np.zeros((inputs, inputs)))
    mean = sum((x.mean(1) for x in present), np.zeros(inputs))
    for moments in (MatrixMoments(matrix, mean, n, sum(counts)), PositionMoments(inputs, present)):
        found = moments.spectrum(width, step)
        assert found.eigenvalues.shape == (width,)
        assert found.eigenvalues == pytest.approx(expected, abs=1e-9 * max(expected[0], 1))
        assert found.trace == pytest.approx(np.trace(dense), rel=1e-9, abs=1e-12)


def test_the_matrix_is_no_larger_than_the_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = []
    eigvalsh = np.linalg.eigvalsh
    monkeypatch.setattr(
        np.linalg, "eigvalsh", lambda matrix, **rest: sides.append(len(matrix)) or eigvalsh(matrix, **rest)
    )
    generator = np.random.default_rng(0)
    step = AffineMap(generator.normal(size=(40, 10)), None, generator.normal(size=40))
    MatrixMoments(np.eye(10), np.ones(10), 1, 100).spectrum(40, step)
    MatrixMoments(np.eye(10), np.ones(10), 1, 100).spectrum(40, AffineMap(step.matrix))
    PositionMoments(10, [np.ones((10, 3))]).spectrum(40, step)
    MatrixMoments(np.eye(10), np.ones(10), 1, 100).spectrum(4, AffineMap(generator.normal(size=(4, 10))))
    assert sides == [11, 10, 3, 4]
