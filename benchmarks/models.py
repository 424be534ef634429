"""The residual network that the body's costs are measured on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from backend.architectures.plan import backbone_plan
from backend.runs.specification import MapKind
from benchmarks.scale import BACKBONE, Body, tiny_widths
from worker.training.backbones import ResNet, he_initialise

BODY_MAPS: tuple[MapKind, ...] = ("conv", "norm", "act", "block")
"""Every kind of map of a residual network: 155 of a ResNet-50."""

SETTLING = 3
"""Forward passes that give batch norms their statistics, which decide how large the maps' values are."""


def random_images(count: int, height: int, width: int) -> list[Tensor]:
    """Return images (3, height, width) of normal noise."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(3, height, width, generator=generator) for _ in range(count)]


def settled_body(scale: Body, device: str = "cpu") -> nn.Module:
    """Return ResNet-50's body in evaluation mode: random weights, running statistics of what passes through it."""
    torch.manual_seed(0)
    body = ResNet(backbone_plan(BACKBONE, False, tiny_widths() if scale.tiny else None), "batch")
    he_initialise(body)
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    images = torch.stack(random_images(scale.images, scale.size, scale.size))
    with torch.no_grad():
        for _ in range(SETTLING):
            body.train()(images)
    return body.eval().to(device)
