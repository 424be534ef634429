"""The tensors of a network by name and shape: what torch's `state_dict` holds, told without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backend.architectures.heads import (
    BOX_COORDINATES,
    BOX_POOLED_SIDE,
    RETINA_ANCHORS,
    RPN_ANCHORS,
    SUBNET_DEPTH,
)
from backend.architectures.plan import BackbonePlan, ConvolutionPlan, backbone_plan
from backend.architectures.widths import resolved_widths

Shape = tuple[int, ...]

BODY = "backbone.body."
"""Prefix of the residual network's tensors in a detector."""
NORM_TENSORS = {
    "batch": ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
    "sync_batch": ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
    "frozen_batch": ("weight", "bias", "running_mean", "running_var"),
    "group": ("weight", "bias"),
}
"""What a norm keeps: one number a channel each, but for the counter of batches, which is a scalar."""


def tensor_shapes(
    architecture: str, backbone: str, norm: str, widths: Mapping[str, int] | None, classes: int
) -> dict[str, Shape]:
    """Return every tensor's shape by torchvision's name, for `classes` categories (a detector adds the background).

    Raises ValueError for an unknown architecture, backbone, norm or width group.
    """
    if norm not in NORM_TENSORS:
        raise ValueError(f"there is no norm '{norm}'; take one of {', '.join(NORM_TENSORS)}")
    resolved = resolved_widths(architecture, backbone, widths)
    plan = backbone_plan(backbone, widths=widths)
    body = dict(_body(plan, norm))
    channels = [stage.outputs for stage in plan.stages]
    if architecture == "classifier":
        return body | dict(_layer("fc", (classes, channels[-1])))
    within = {BODY + name: shape for name, shape in body.items()}
    if architecture == "retinanet":
        return within | dict(_retinanet(channels[1:], resolved["fpn"], resolved["retina_head"], classes))
    return within | dict(_two_stage(channels, resolved, classes))


def class_tensors(
    architecture: str, backbone: str, norm: str, widths: Mapping[str, int] | None
) -> frozenset[str]:
    """Return the names of the tensors whose shape depends on the number of categories."""
    one, other = (tensor_shapes(architecture, backbone, norm, widths, classes) for classes in (1, 2))
    return frozenset(name for name, shape in one.items() if other[name] != shape)


Tensors = Iterator[tuple[str, Shape]]


def _layer(name: str, weight: Shape, outputs: int | None = None) -> Tensors:
    """A weight and a bias; the outputs stand first in a weight, except in a transposed convolution."""
    yield f"{name}.weight", weight
    yield f"{name}.bias", (weight[0] if outputs is None else outputs,)


def _body(plan: BackbonePlan, norm: str) -> Tensors:
    yield from _normed(plan.stem, "bn1", norm)
    for block in plan.blocks:
        for number, convolution in enumerate(block.convolutions, start=1):
            yield from _normed(convolution, f"{block.name}.bn{number}", norm)
        if block.downsample:
            yield from _normed(block.downsample, f"{block.name}.downsample.1", norm)


def _normed(plan: ConvolutionPlan, norm_name: str, norm: str) -> Tensors:
    """A convolution without bias, and the norm after it."""
    yield f"{plan.name}.weight", (plan.outputs, plan.inputs, plan.kernel, plan.kernel)
    for tensor in NORM_TENSORS[norm]:
        yield f"{norm_name}.{tensor}", () if tensor == "num_batches_tracked" else (plan.outputs,)


def _fpn(channels: list[int], width: int) -> Tensors:
    for level, inputs in enumerate(channels):
        yield from _layer(f"backbone.fpn.inner_blocks.{level}.0", (width, inputs, 1, 1))
        yield from _layer(f"backbone.fpn.layer_blocks.{level}.0", (width, width, 3, 3))


def _two_stage(channels: list[int], widths: Mapping[str, int], classes: int) -> Tensors:
    fpn, hidden = widths["fpn"], widths["box_head"]
    yield from _fpn(channels, fpn)
    yield from _layer("rpn.head.conv.0.0", (fpn, fpn, 3, 3))
    yield from _layer("rpn.head.cls_logits", (RPN_ANCHORS, fpn, 1, 1))
    yield from _layer("rpn.head.bbox_pred", (RPN_ANCHORS * BOX_COORDINATES, fpn, 1, 1))
    yield from _layer("roi_heads.box_head.fc6", (hidden, fpn * BOX_POOLED_SIDE**2))
    yield from _layer("roi_heads.box_head.fc7", (hidden, hidden))
    yield from _layer("roi_heads.box_predictor.cls_score", (classes + 1, hidden))
    yield from _layer("roi_heads.box_predictor.bbox_pred", (BOX_COORDINATES * (classes + 1), hidden))
    if "mask_head" in widths:
        yield from _mask_head(fpn, widths["mask_head"], classes)


def _mask_head(inputs: int, width: int, classes: int) -> Tensors:
    yield from _convolutions("roi_heads.mask_head", inputs, width)
    yield from _layer("roi_heads.mask_predictor.conv5_mask", (width, width, 2, 2), width)
    yield from _layer("roi_heads.mask_predictor.mask_fcn_logits", (classes + 1, width, 1, 1))


def _retinanet(channels: list[int], fpn: int, width: int, classes: int) -> Tensors:
    yield from _fpn(channels, fpn)
    for level in ("p6", "p7"):
        yield from _layer(f"backbone.fpn.extra_blocks.{level}", (fpn, fpn, 3, 3))
    yield from _convolutions("head.classification_head.conv", fpn, width)
    logits = RETINA_ANCHORS * (classes + 1)
    yield from _layer("head.classification_head.cls_logits", (logits, width, 3, 3))
    yield from _convolutions("head.regression_head.conv", fpn, width)
    yield from _layer("head.regression_head.bbox_reg", (RETINA_ANCHORS * BOX_COORDINATES, width, 3, 3))


def _convolutions(name: str, inputs: int, width: int) -> Tensors:
    for number in range(SUBNET_DEPTH):
        yield from _layer(f"{name}.{number}.0", (width, width if number else inputs, 3, 3))
