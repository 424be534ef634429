"""RetinaNet: what its maps are called, and every one of them against the dense reference with padded batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from backend.errors import InvalidInput
from backend.spectra.criteria import dimensionality
from worker.probe import detector
from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe

LEVELS = ("p3", "p4", "p5", "p6", "p7")
FPN_ONLY = ("fpn", "retina_head")


def make(body: nn.Module, norm: Callable[[int], nn.Module] | None = None) -> RetinaNet:
    torch.manual_seed(9)
    returned = {f"layer{k}": str(k - 2) for k in (2, 3, 4)}
    backbone = BackboneWithFPN(body, returned, [12, 16, 24], 10, extra_blocks=LastLevelP6P7(10, 10))
    model = RetinaNet(backbone, 3, head=RetinaNetHead(10, 9, 3, norm), min_size=72, max_size=110)
    for parameter in model.head.parameters():
        nn.init.normal_(parameter, std=0.2)
    return model


@pytest.fixture
def retinanet(make_body: Callable[..., nn.Module]) -> RetinaNet:
    return make(make_body())


@torch.no_grad()
def reference(model: RetinaNet, image: Tensor) -> dict[str, Tensor]:
    """Every map of FPN and subnets as positions (C, N), float64: walked through by hand, cropped by halving sides."""
    model.eval()
    batch, _ = model.transform([image])
    body, fpn, x = model.backbone.body, model.backbone.fpn, batch.tensors
    height, width = (-(-side // 4) for side in batch.image_sizes[0])
    found: dict[str, Tensor] = {}

    def keep(name: str, maps: Tensor, level: int) -> Tensor:
        size = [-(-side // 2**level) for side in (height, width)]
        found[name] = maps[0, :, : size[0], : size[1]].flatten(1).double()
        return maps

    x = body.layer1(body.maxpool(functional.relu(body.bn1(body.conv1(x)))))
    stages = []
    for stage in (body.layer2, body.layer3, body.layer4):
        x = stage(x)
        stages.append(x)
    outputs: list[Tensor] = []
    merged = None
    for k in (2, 1, 0):
        inner = keep(f"fpn.inner.p{k + 3}", fpn.inner_blocks[k](stages[k]), k + 1)
        merged = inner if merged is None else inner + functional.interpolate(merged, size=inner.shape[-2:])
        outputs.insert(0, keep(f"fpn.p{k + 3}", fpn.layer_blocks[k](merged), k + 1))
    outputs.append(keep("fpn.p6", fpn.extra_blocks.p6(outputs[-1]), 4))
    outputs.append(keep("fpn.p7", fpn.extra_blocks.p7(functional.relu(outputs[-1])), 5))
    for subnet, part in (("cls", model.head.classification_head), ("bbox", model.head.regression_head)):
        for level, maps in enumerate(outputs):
            for number, layer in enumerate(part.conv, start=1):
                maps = functional.relu(layer[0](maps))
                keep(f"{subnet}_subnet.conv{number}.{LEVELS[level]}", maps, level + 1)
    return found


def wrong(
    model: RetinaNet, images: list[Tensor], dense: Callable[..., np.ndarray], **options: bool
) -> set[str]:
    """Return the maps whose spectrum or dimensionality is not the reference's."""
    walked = [reference(model, image) for image in images]
    spectra = EigenspectrumProbe(model, images, maps=FPN_ONLY, **options).measure()
    assert {s.layer.name for s in spectra} == set(walked[0])
    found = set()
    for spectrum in spectra:
        expected = dense([maps[spectrum.layer.name] for maps in walked])
        close = np.abs(spectrum.eigenvalues - expected).max() <= 1e-6 * expected[0]
        same = dimensionality(spectrum.eigenvalues, "absolute") == dimensionality(expected, "absolute")
        counted = spectrum.positions == sum(maps[spectrum.layer.name].shape[1] for maps in walked)
        if not (close and same and counted):
            found.add(spectrum.layer.name)
    return found


@pytest.mark.parametrize("shortcuts", [True, False])
def test_every_map_with_images_of_different_sizes(
    retinanet: RetinaNet, images: list[Tensor], dense_eigenvalues: Callable[..., np.ndarray], shortcuts: bool
) -> None:
    assert wrong(retinanet, images, dense_eigenvalues, shortcuts=shortcuts) == set()


def test_padding_left_in_would_be_seen(
    retinanet: RetinaNet,
    images: list[Tensor],
    dense_eigenvalues: Callable[..., np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detector, "valid_positions", lambda maps, _sizes: list(maps.flatten(2)))
    found = wrong(retinanet, images, dense_eigenvalues)
    assert {"fpn.p3", "cls_subnet.conv1.p3", "bbox_subnet.conv4.p4"} <= found


def test_names_in_order_of_execution(retinanet: RetinaNet, images: list[Tensor]) -> None:
    names = [layer.name for layer in EigenspectrumProbe(retinanet, images, maps=FPN_ONLY).layers]
    assert names[:8] == [
        "fpn.inner.p5", "fpn.p5", "fpn.inner.p4", "fpn.p4", "fpn.inner.p3", "fpn.p3", "fpn.p6", "fpn.p7",
    ]  # fmt: skip
    assert names[8:] == [
        f"{subnet}_subnet.conv{number}.{level}"
        for subnet in ("cls", "bbox")
        for level in LEVELS
        for number in (1, 2, 3, 4)
    ]


def test_its_body_is_named_as_the_body_alone(retinanet: RetinaNet, images: list[Tensor]) -> None:
    kinds = ("conv", "norm", "act", "block")
    alone = EigenspectrumProbe(retinanet.backbone.body, images[:1], maps=kinds).layers
    assert EigenspectrumProbe(retinanet, images, maps=kinds).layers == alone


def test_only_what_is_asked_for_is_run(
    retinanet: RetinaNet, images: list[Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = EigenspectrumProbe(retinanet, images, maps=("block", "fpn"))

    def forbidden(levels: list[Tensor]) -> None:
        assert levels[0].device.type == "meta", "the subnets were run"

    monkeypatch.setattr(retinanet.head, "forward", forbidden)
    assert {s.layer.map for s in probe.measure()} == {"block", "fpn"}


def test_subnets_with_norms_are_seen_after_the_relu(
    make_body: Callable[..., nn.Module], images: list[Tensor]
) -> None:
    model = make(make_body(), lambda channels: nn.GroupNorm(2, channels))
    seen: list[Tensor] = []
    model.head.classification_head.conv[0][2].register_forward_hook(
        lambda _module, _arguments, output: seen.append(output.clone())
    )
    (spectrum,) = EigenspectrumProbe(model, images[:1], maps=KINDS, layers=r"cls_subnet\.conv1\.p7").measure()
    # The forward pass without values comes first; P7 is the last of five levels.
    positions = seen[-1][0, :, :1, :1].flatten(1).double().numpy()
    expected = np.linalg.eigvalsh(positions @ positions.T)[::-1]
    assert np.abs(spectrum.eigenvalues - expected).max() <= 1e-6 * expected[0]


def test_a_backbone_without_a_pyramid_is_refused(images: list[Tensor]) -> None:
    backbone = nn.Sequential(nn.Conv2d(3, 10, 3, stride=8))
    backbone.out_channels = 10
    with pytest.raises(InvalidInput, match="a backbone with body and fpn, not Sequential"):
        EigenspectrumProbe(RetinaNet(backbone, 3), images)
