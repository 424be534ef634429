"""Models that are neither torchvision's detectors nor its residual networks: what is seen, what is refused."""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import ConvNeXt, DenseNet, VisionTransformer, mobilenet_v3_small
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.detection import fcos_resnet50_fpn
from torchvision.models.resnet import BasicBlock

from backend.errors import InvalidInput
from worker.probe.maps import KINDS, LayerSpectrum
from worker.probe.probe import EigenspectrumProbe
from worker.probe.trace import ModelChanged

SIZES = ((12, 16), (12, 16), (9, 10))


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    """Three images of two sizes."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, *size, generator=generator) for size in SIZES]


def names(model: nn.Module, images: list[Tensor], maps=KINDS) -> list[tuple[str, str, int]]:
    return [
        (layer.name, layer.map, layer.width) for layer in EigenspectrumProbe(model, images, maps=maps).layers
    ]


def alike(one: list[LayerSpectrum], other: list[LayerSpectrum]) -> bool:
    """Return whether two measurements are the same but for rounding."""
    assert [s.layer for s in one] == [s.layer for s in other]
    pairs = zip(one, other, strict=True)
    return all(np.abs(a.eigenvalues - b.eigenvalues).max() <= 1e-6 * a.lambda_1 for a, b in pairs)


@pytest.mark.parametrize(
    ("make", "counted", "blocks"),
    [
        (
            lambda: mobilenet_v3_small(width_mult=0.25, num_classes=3),
            {"conv": 52, "norm": 34, "act": 42, "block": 20, "linear": 2},
            # The units of one stage, the first of them without a sum; in each, what is weighed by its squeeze.
            [f"features.{k}{inner}" for k in (4, 5, 6) for inner in (".block.2", "")],
        ),
        (
            lambda: ConvNeXt([CNBlockConfig(8, 12, 2), CNBlockConfig(12, None, 1)], num_classes=3),
            {"conv": 5, "norm": 6, "act": 3, "block": 3, "linear": 7},
            ["features.1.0", "features.1.1", "features.3.0"],
        ),
        (
            lambda: VisionTransformer(64, 16, 2, 2, 12, 24, num_classes=3),
            {"conv": 1, "norm": 5, "act": 2, "block": 2, "linear": 5},
            ["encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_1"],
        ),
        (
            lambda: DenseNet(4, (2, 2), 8, num_classes=3),
            {"conv": 10, "norm": 11, "act": 10, "block": 6, "linear": 1},
            [
                f"features.denseblock{k}{layer}"
                for k in (1, 2)
                for layer in (".denselayer1", ".denselayer2", "")
            ],
        ),
    ],
    ids=["mobilenet", "convnext", "vit", "densenet"],
)
def test_torchvisions_classifiers(make, counted, blocks) -> None:
    torch.manual_seed(2)
    model, images = make(), list(torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(6)))
    probe = EigenspectrumProbe(model, images, maps=KINDS)
    assert Counter(layer.map for layer in probe.layers) == counted
    found = [layer.name for layer in probe.layers if layer.map == "block"]
    assert [name for name in found if name in blocks] == blocks
    straight = EigenspectrumProbe(model, images, maps=KINDS, shortcuts=False)
    assert alike(probe.measure(), straight.measure())
    assert any(line.derived_from for line in probe.plan.lines())


def test_an_elements_last_activation_is_its_output(pictures) -> None:
    class Ending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.conv(self.relu(x.clone())) + x)

    unit = nn.Sequential(Ending())
    assert names(unit, pictures) == [("0.relu", "act", 3), ("0.conv", "conv", 3), ("0", "block", 3)]
    assert names(Ending(), pictures) == [("relu", "act", 3), ("conv", "conv", 3), ("relu:2", "act", 3)]
    assert names(nn.Sequential(nn.Sequential(Ending())), pictures)[-1] == ("0.0", "block", 3)


def test_a_residual_network_with_other_parts_keeps_its_own_names(pictures) -> None:
    class Functional(BasicBlock):
        def __init__(self) -> None:
            super().__init__(3, 3)
            del self.relu

        def forward(self, x: Tensor) -> Tensor:
            return functional.relu(self.bn1(self.conv1(x)) + x)

    model = nn.Sequential()
    model.conv1, model.layer1 = nn.Conv2d(3, 3, 1), nn.Sequential(Functional())
    assert names(model, pictures) == [
        ("conv1", "conv", 3),
        ("layer1.0.conv1", "conv", 3),
        ("layer1.0.bn1", "norm", 3),
        ("layer1.0", "block", 3),
    ]


@pytest.mark.parametrize("model", [nn.ReLU(), nn.Sequential(nn.Identity(), nn.ReLU())])
def test_a_model_without_parameters(pictures, model) -> None:
    (spectrum,) = EigenspectrumProbe(model, pictures).measure()
    assert spectrum.layer.name == ("ReLU" if isinstance(model, nn.ReLU) else "1")
    assert (spectrum.layer.width, spectrum.images) == (3, 3)


class Cautious(nn.Module):
    """Asks for values, keeps what it made at its first call, and computes its last layer or not."""

    def __init__(self, asks: bool) -> None:
        super().__init__()
        self.conv, self.act, self.last = nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1)
        self.asks, self.leaves_out = asks, False
        self.table: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.asks and x.sum().item() > 1e9:
            return x
        if self.table is None:
            self.table = x.new_ones(1)
        x = self.act(self.conv(x)) * self.table
        return x if self.leaves_out else self.last(x)


def test_a_model_that_asks_for_values_is_run_with_an_image(pictures, caplog) -> None:
    with caplog.at_level(logging.INFO, "worker.probe"):
        model = Cautious(asks=True)
        asking = EigenspectrumProbe(model, pictures, maps=KINDS)
        (said,) = (r.getMessage() for r in caplog.records if "on shapes alone" in r.getMessage())
        assert said.startswith("Cautious does not run on shapes alone (")
        caplog.clear()
        model.asks, model.table = False, None
        not_asking = EigenspectrumProbe(model, pictures, maps=KINDS)
        assert not caplog.records
    assert alike(asking.measure(), not_asking.measure())


def test_a_map_that_is_no_longer_computed_is_an_error(pictures) -> None:
    model = Cautious(asks=False)
    probe = EigenspectrumProbe(model, pictures, maps=("conv",), shortcuts=False)
    model.leaves_out = True
    with pytest.raises(ModelChanged, match="did not compute 'last' for every batch"):
        probe.measure()


@pytest.mark.parametrize("asks", [True, False])
def test_the_model_is_left_as_it_was(pictures, asks) -> None:
    model = Cautious(asks).train()
    model.conv.eval()
    model.last.requires_grad_(False)
    draws = torch.get_rng_state()
    EigenspectrumProbe(model, pictures)
    assert [module.training for module in model.modules()] == [True, False, True, True]
    assert not any(module._forward_hooks for module in model.modules())
    assert model.table is None or model.table.device.type == "cpu"
    assert torch.equal(torch.get_rng_state(), draws)
    model(torch.stack(pictures[:2])).sum().backward()
    assert model.conv.weight.grad is not None


def test_a_model_that_fails_is_left_as_it_was(pictures) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(5, 4, 1)).train()
    with pytest.raises(InvalidInput, match="Sequential cannot be run on a batch"):
        EigenspectrumProbe(model, pictures)
    assert all(module.training and not module._forward_hooks for module in model.modules())


def compiled(model: nn.Module) -> nn.Module:
    """Return the model with a part that is compiled in place, which it would be in its first call only."""
    model[0].compile(backend="eager")
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.Linear(3, 3), r"Linear cannot be run on a batch .* of shape \(3, 12, 16\): .*shape"),
        (lambda: nn.Flatten(), "sees no map in Flatten"),
        (lambda: nn.DataParallel(nn.Conv2d(3, 3, 1)), "not DataParallel around it: model.module"),
        (lambda: compiled(nn.Sequential(nn.Conv2d(3, 3, 1))), "Sequential is compiled or scripted"),
        (lambda: nn.LazyConv2d(3, 1), "run it once on a batch"),
        (
            lambda: fcos_resnet50_fpn(weights=None, weights_backbone=None),
            "Faster R-CNN, Mask R-CNN and RetinaNet, not FCOS; give it the model's backbone",
        ),
    ],
    ids=["wrong input", "nothing", "wrapped", "compiled", "lazy", "detector"],
)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_a_model_that_cannot_be_probed_is_refused(pictures, make, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        EigenspectrumProbe(make(), pictures)
