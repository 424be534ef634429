"""A small detector with every kind of map, and the dense reference for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import FrozenBatchNorm2d

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "frozen": FrozenBatchNorm2d,
    "group": lambda channels: nn.GroupNorm(2, channels),
}
STAGES = ((BasicBlock, 8), (BasicBlock, 12), (Bottleneck, 4), (Bottleneck, 6))
"""Block and planes of each stage."""


class TinyResNet(nn.Module):
    """A residual network of both kinds of torchvision's blocks; the first stage has two, one without downsample."""

    def __init__(self, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        width = 8
        for number, (block, planes) in enumerate(STAGES, start=1):
            stride = 1 if number == 1 else 2
            downsample = None
            if stride != 1 or width != planes * block.expansion:
                shortcut = nn.Conv2d(width, planes * block.expansion, 1, stride=stride, bias=False)
                downsample = nn.Sequential(shortcut, norm(planes * block.expansion))
            blocks = [block(width, planes, stride, downsample, norm_layer=norm)]
            width = planes * block.expansion
            if number == 1:
                blocks.append(block(width, planes, norm_layer=norm))
            self.add_module(f"layer{number}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def _disturb(model: nn.Module) -> None:
    """Give norms statistics, weights and biases that are not those of a fresh one, so that padding is not zero."""
    for module in model.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm, FrozenBatchNorm2d)):
            module.weight.uniform_(0.8, 1.2)
            module.bias.normal_(0, 0.3)


def _make_detector(norm: str = "batch") -> FasterRCNN:
    torch.manual_seed(3)
    body = TinyResNet(NORMS[norm])
    channels = [planes * block.expansion for block, planes in STAGES]
    model = FasterRCNN(
        BackboneWithFPN(body, {f"layer{k}": str(k - 1) for k in (1, 2, 3, 4)}, channels, out_channels=12),
        min_size=72,
        max_size=110,
        rpn_anchor_generator=AnchorGenerator(((8,), (16,), (32,), (48,), (64,)), ((0.5, 1.0, 2.0),) * 5),
        rpn_score_thresh=0.6,
        rpn_nms_thresh=0.4,
        box_head=TwoMLPHead(12 * 49, 20),
        box_predictor=FastRCNNPredictor(20, 4),
    )
    with torch.no_grad():
        _disturb(model)
        model.rpn.head.conv[0][0].bias.normal_(0, 0.2)
        model.rpn.head.conv[0][0].weight.normal_(0, 0.1)
        model.rpn.head.cls_logits.weight.normal_(0, 0.3)
        model.rpn.head.bbox_pred.weight.normal_(0, 0.1)
    return model


@pytest.fixture(scope="session")
def make_detector() -> Callable[..., FasterRCNN]:
    """Return a maker of the detector with the norm named."""
    return _make_detector


@pytest.fixture(scope="session")
def make_body() -> Callable[[str], nn.Module]:
    """Return a maker of the detector's residual network alone, which is a classifier without a last layer."""

    def make(norm: str = "batch") -> nn.Module:
        torch.manual_seed(4)
        body = TinyResNet(NORMS[norm])
        with torch.no_grad():
            _disturb(body)
        return body

    return make


@pytest.fixture(scope="session")
def images() -> list[Tensor]:
    """Five images of three sizes, none of which the detector resizes to a multiple of 32 on both sides."""
    generator = torch.Generator().manual_seed(5)
    sizes = [(60, 75), (90, 70), (60, 75), (50, 80), (60, 75)]
    return [torch.rand(3, *size, generator=generator) for size in sizes]


@pytest.fixture(scope="session")
def reference_maps() -> Callable[[FasterRCNN, Tensor], dict[str, Tensor]]:
    """Return a function giving every map of one image as positions (C, N), float64, by walking through the model."""
    return _detector_maps


@pytest.fixture(scope="session")
def body_maps() -> Callable[[nn.Module, Tensor], dict[str, Tensor]]:
    """Return the same for a residual network and a batch (1, 3, H, W)."""
    return lambda body, batch: _positions(_walk_body(body, batch, batch.shape[-2:])[0])


@pytest.fixture(scope="session")
def dense_eigenvalues() -> Callable[[Sequence[Tensor]], np.ndarray]:
    """Return a function giving the eigenvalues, descending, of the covariance over images (C, N_i), in float64."""

    def dense(images: Sequence[Tensor]) -> np.ndarray:
        mean = np.mean([(x.numpy() @ x.numpy().T) / x.shape[1] for x in images if x.shape[1]], axis=0)
        return np.linalg.eigvalsh(mean)[::-1]

    return dense


Maps = dict[str, tuple[Tensor, tuple[int, int]]]
"""A copy of each map (1, C, H, W) and the valid area."""


def _positions(maps: Maps) -> dict[str, Tensor]:
    return {
        name: tensor[0, :, :height, :width].flatten(1).double()
        for name, (tensor, (height, width)) in maps.items()
    }


def _out(layer: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """Return a strided layer's output size: floor((n + 2p - d (k - 1) - 1) / s) + 1."""

    def one(n: int, axis: int) -> int:
        def of(name: str) -> int:
            value = getattr(layer, name)
            return value if isinstance(value, int) else value[axis]

        reach = of("dilation") * (of("kernel_size") - 1)
        return (n + 2 * of("padding") - reach - 1) // of("stride") + 1

    return one(size[0], 0), one(size[1], 1)


def _walk_body(
    body: nn.Module, x: Tensor, size: tuple[int, int]
) -> tuple[Maps, list[tuple[Tensor, tuple[int, int]]]]:
    """Return every map of a residual network, and each stage's output."""
    found: Maps = {}
    levels = []

    def keep(name: str, tensor: Tensor) -> Tensor:
        found[name] = (tensor.clone(), size)
        return tensor

    size = _out(body.conv1, size)
    x = keep("act1", functional.relu(keep("norm1", body.bn1(keep("conv1", body.conv1(x))))))
    size = _out(body.maxpool, size)
    x = body.maxpool(x)
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for index, block in enumerate(body.get_submodule(stage)):
            name, shortcut, entry = f"{stage}.{index}", x, size
            depth = 3 if hasattr(block, "conv3") else 2
            for k in range(1, depth + 1):
                convolution, norm = getattr(block, f"conv{k}"), getattr(block, f"bn{k}")
                size = _out(convolution, size)
                x = keep(f"{name}.norm{k}", norm(keep(f"{name}.conv{k}", convolution(x))))
                if k < depth:
                    x = keep(f"{name}.act{k}", functional.relu(x))
            if block.downsample is not None:
                assert _out(block.downsample[0], entry) == size
                shortcut = keep(f"{name}.downsample.conv", block.downsample[0](shortcut))
                shortcut = keep(f"{name}.downsample.norm", block.downsample[1](shortcut))
            x = keep(name, functional.relu(x + shortcut))
        levels.append((x, size))
    return found, levels


@torch.no_grad()
def _detector_maps(model: FasterRCNN, image: Tensor) -> dict[str, Tensor]:
    model.eval()
    batch, _ = model.transform([image])
    maps, levels = _walk_body(model.backbone.body, batch.tensors, tuple(batch.image_sizes[0]))
    fpn, merged = model.backbone.fpn, None
    outputs = []
    for k in (3, 2, 1, 0):
        x, size = levels[k]
        inner = fpn.inner_blocks[k](x)
        maps[f"fpn.inner.p{k + 2}"] = (inner, size)
        merged = inner if merged is None else inner + functional.interpolate(merged, size=inner.shape[-2:])
        maps[f"fpn.p{k + 2}"] = (fpn.layer_blocks[k](merged), size)
        outputs.insert(0, maps[f"fpn.p{k + 2}"])
    coarsest, (height, width) = outputs[-1]
    maps["fpn.pool"] = (coarsest[:, :, ::2, ::2], ((height - 1) // 2 + 1, (width - 1) // 2 + 1))
    outputs.append(maps["fpn.pool"])
    features = {str(k): output for k, (output, _) in enumerate(outputs[:4])} | {"pool": outputs[4][0]}
    for level, (output, size) in zip(("p2", "p3", "p4", "p5", "pool"), outputs, strict=True):
        maps[f"rpn.conv.{level}"] = (functional.relu(model.rpn.head.conv[0][0](output)), size)
    found = _positions(maps)
    proposals, _ = model.rpn(batch, features)
    pooled = model.roi_heads.box_roi_pool(features, proposals, batch.image_sizes).flatten(1)
    hidden = functional.relu(model.roi_heads.box_head.fc6(pooled))
    found["box_head.fc6"] = hidden.T.double()
    found["box_head.fc7"] = functional.relu(model.roi_heads.box_head.fc7(hidden)).T.double()
    return found
