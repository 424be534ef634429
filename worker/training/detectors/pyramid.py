"""A residual network with torchvision's feature pyramid on it (Lin et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from backend.architectures.plan import StagePlan
from worker.training.backbones import ResNet

BODY = "backbone.body."
"""Prefix of the residual network's keys in a detector's state dict."""


def pyramid(body: ResNet, stages: Sequence[StagePlan], width: int, extra: ExtraFPNBlock) -> nn.Module:
    """Return a network from images (N, 3, H, W) to the levels made from these stages, and the extra ones.

    Each level has `width` channels. Levels are named "0", "1", … from fine to coarse, the extra ones by `extra`.
    """
    backbone: nn.Module = BackboneWithFPN(
        body,
        return_layers={stage.name: str(level) for level, stage in enumerate(stages)},
        in_channels_list=[stage.outputs for stage in stages],
        out_channels=width,
        extra_blocks=extra,
    )
    return backbone
