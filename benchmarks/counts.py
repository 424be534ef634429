"""torch's own counts of a built network: numel, and its counter of floating point operations."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from backend.runs.specification import ModelSpecification
from worker.training.detectors import build_model

PROPOSALS, DETECTIONS = 1000, 100
"""Boxes that torchvision's box head and mask head see at most in evaluation."""
BOX_POOLED, MASK_POOLED = 7, 14

_Part = tuple[nn.Module, Tensor | list[Tensor]]


def built(model: ModelSpecification, classes: int) -> nn.Module:
    """Build a model on the meta device, where nothing is computed, in evaluation mode."""
    with torch.device("meta"):
        return build_model(model, classes, image_size=128).eval()


def parameters(model: nn.Module) -> tuple[int, int]:
    """Return the parameters of the whole network and of its residual network."""
    body: nn.Module = model.get_submodule("backbone.body") if hasattr(model, "backbone") else model
    of_body = sum(p.numel() for name, p in body.named_parameters() if not name.startswith("fc."))
    return sum(p.numel() for p in model.parameters()), of_body


def macs(model: nn.Module, height: int, width: int) -> int:
    """Return the MACs of one image of a model on the meta device; torch counts each as two operations."""
    return sum(_operations(*part) for part in _parts(cast(Any, model), height, width)) // 2


def _parts(model: Any, height: int, width: int) -> list[_Part]:
    """Return the parts of a model that convolve or multiply, with the input of each."""
    image = torch.empty(1, 3, height, width, device="meta")
    if not hasattr(model, "backbone"):
        return [(model, image)]
    with torch.no_grad():
        levels = list(model.backbone(image).values())
    if hasattr(model, "head"):
        return [(model.backbone, image), (model.head, levels)]
    heads, channels = model.roi_heads, model.backbone.out_channels
    boxes = torch.empty(PROPOSALS, channels, BOX_POOLED, BOX_POOLED, device="meta")
    found: list[_Part] = [
        (model.backbone, image),
        (model.rpn.head, levels),
        (nn.Sequential(heads.box_head, heads.box_predictor), boxes),
    ]
    if heads.has_mask():
        masks = torch.empty(DETECTIONS, channels, MASK_POOLED, MASK_POOLED, device="meta")
        found.append((nn.Sequential(heads.mask_head, heads.mask_predictor), masks))
    return found


def _operations(module: nn.Module, inputs: Tensor | list[Tensor]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(inputs)
    return int(counter.get_total_flops())
