"""Residual networks (He, Zhang, Ren, Sun 2016) of any width, with torchvision's state dict keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.architectures.plan import BackbonePlan, BlockPlan, ConvolutionPlan
from worker.training.norms import NORMS, NormFactory

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet, as torchvision's weights expect; red, green, blue in 0 … 1."""


def _convolution(plan: ConvolutionPlan) -> nn.Conv2d:
    return nn.Conv2d(
        plan.inputs, plan.outputs, plan.kernel, stride=plan.stride, padding=plan.kernel // 2, bias=False
    )


class ResidualBlock(nn.Module):
    """Convolutions with norms, one ReLU between each and after the sum: torchvision's BasicBlock and Bottleneck.

    Maps (N, inputs, H, W) to (N, outputs, H / stride, W / stride). There is one ReLU module, in place, called
    after every norm but the last and after the sum, as in torchvision.
    """

    def __init__(self, plan: BlockPlan, norm: NormFactory) -> None:
        super().__init__()
        self.depth = len(plan.convolutions)
        for number, convolution in enumerate(plan.convolutions, start=1):
            self.add_module(f"conv{number}", _convolution(convolution))
            self.add_module(f"bn{number}", norm(convolution.outputs))
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if plan.downsample:
            self.downsample = nn.Sequential(_convolution(plan.downsample), norm(plan.outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        out = x
        for number in range(1, self.depth + 1):
            out = self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(out))
            if number < self.depth:
                out = self.relu(out)
        out += x if self.downsample is None else self.downsample(x)
        return cast(Tensor, self.relu(out))


class ResNet(nn.Module):
    """Stem and four stages: (N, 3, H, W) to layer4's (N, C, H / 32, W / 32), sides rounded up."""

    def __init__(self, plan: BackbonePlan, norm: str) -> None:
        super().__init__()
        make_norm = NORMS[norm]
        self.conv1 = _convolution(plan.stem)
        self.bn1 = make_norm(plan.stem.outputs)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.stages = tuple(stage.name for stage in plan.stages)
        for stage in plan.stages:
            self.add_module(stage.name, nn.Sequential(*(ResidualBlock(b, make_norm) for b in stage.blocks)))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the network."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = self.get_submodule(name)(x)
        return x


class Classifier(ResNet):
    """A residual network with average pooling and a fully connected layer, called as torchvision's detectors are.

    Takes images (C, H, W) of one size with values in 0 … 1. In training mode it takes targets too, dictionaries
    with a `label` of shape (), and returns `{"loss_classifier": cross entropy}`; else logits (N, classes).
    """

    def __init__(self, plan: BackbonePlan, norm: str, classes: int) -> None:
        super().__init__(plan, norm)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(plan.stages[-1].outputs, classes)

    def logits(self, normalised: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised images (N, 3, H, W)."""
        return cast(Tensor, self.fc(self.avgpool(super().forward(normalised)).flatten(1)))

    def forward(  # type: ignore[override]
        self, images: Tensor | Sequence[Tensor], targets: Sequence[dict[str, Tensor]] | None = None
    ) -> Tensor | dict[str, Tensor]:
        """Normalise the images and return the loss, or the logits."""
        batch = images if isinstance(images, Tensor) else torch.stack(list(images))
        mean = torch.tensor(IMAGE_MEAN, dtype=batch.dtype, device=batch.device)[:, None, None]
        deviation = torch.tensor(IMAGE_DEVIATION, dtype=batch.dtype, device=batch.device)[:, None, None]
        logits = self.logits((batch - mean) / deviation)
        if not self.training:
            return logits
        if targets is None:
            raise ValueError("a classifier in training mode needs targets")
        labels = torch.stack([target["label"] for target in targets])
        return {"loss_classifier": functional.cross_entropy(logits, labels)}


def he_initialise(network: nn.Module) -> None:
    """Draw convolutions from N(0, 2 / fan_out) (He, Zhang, Ren, Sun 2015; torchvision's choice), in place.

    Norms keep weight 1 and bias 0, the last of a block too: the residual branch does not start at zero.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
