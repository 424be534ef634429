"""Our networks as Detectron2 would save them: from its names and orders, apart from our own rules."""

from __future__ import annotations

import torch
from torch import Tensor

CONVOLUTIONS = {"conv1": "conv1", "conv2": "conv2", "conv3": "conv3"}
NORMS = {"bn1": "conv1.norm", "bn2": "conv2.norm", "bn3": "conv3.norm"}
PLAIN = {
    "rpn.head.conv.0.0": "proposal_generator.rpn_head.conv",
    "rpn.head.cls_logits": "proposal_generator.rpn_head.objectness_logits",
    "rpn.head.bbox_pred": "proposal_generator.rpn_head.anchor_deltas",
    "roi_heads.box_head.fc6": "roi_heads.box_head.fc1",
    "roi_heads.box_head.fc7": "roi_heads.box_head.fc2",
    "roi_heads.box_predictor.cls_score": "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred": "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.conv5_mask": "roi_heads.mask_head.deconv",
    "roi_heads.mask_predictor.mask_fcn_logits": "roi_heads.mask_head.predictor",
    "head.classification_head.cls_logits": "head.cls_score",
    "head.regression_head.bbox_reg": "head.bbox_pred",
    "backbone.fpn.extra_blocks.p6": "backbone.top_block.p6",
    "backbone.fpn.extra_blocks.p7": "backbone.top_block.p7",
    "fc": "linear",
}


def detectron2_state(state: dict[str, Tensor], prefix: str = "backbone.bottom_up.") -> dict[str, Tensor]:
    """Return a state of ours under Detectron2's names and in its orders; counters of batches are left out."""
    retinanet = any(key.startswith("head.") for key in state)
    made = {}
    for key, tensor in state.items():
        if "num_batches" in key:
            continue
        layer, _, kind = key.rpartition(".")
        body = layer.removeprefix("backbone.body.")
        if key.startswith("backbone.body.") or body.split(".")[0] in ("conv1", "bn1") or body[:5] == "layer":
            made[f"{prefix}{_body(body)}.{kind}"] = tensor
        else:
            made[f"{_rest(layer, retinanet)}.{kind}"] = _ordered(layer, tensor)
    return made


def _body(layer: str) -> str:
    if layer in ("conv1", "bn1"):
        return "stem.conv1" + (".norm" if layer == "bn1" else "")
    stage, block, name, *number = layer.split(".")
    where = f"res{int(stage[5:]) + 1}.{block}."
    if name == "downsample":
        return where + ("shortcut" if number == ["0"] else "shortcut.norm")
    return where + (CONVOLUTIONS | NORMS)[name]


def _rest(layer: str, retinanet: bool) -> str:
    if layer in PLAIN:
        return PLAIN[layer]
    parts = layer.split(".")
    if layer.startswith("backbone.fpn."):
        kind = {"inner_blocks": "lateral", "layer_blocks": "output"}[parts[2]]
        return f"backbone.fpn_{kind}{int(parts[3]) + (3 if retinanet else 2)}"
    if layer.startswith("roi_heads.mask_head."):
        return f"roi_heads.mask_head.mask_fcn{int(parts[2]) + 1}"
    short = {"classification_head": "cls", "regression_head": "bbox"}[parts[1]]
    return f"head.{short}_subnet.{2 * int(parts[3])}"


def _ordered(layer: str, tensor: Tensor) -> Tensor:
    """Background last among scores and absent among boxes and masks; RetinaNet's anchors by size, then shape."""
    if layer.endswith("cls_score"):
        return torch.cat([tensor[1:], tensor[:1]])
    if layer.endswith("box_predictor.bbox_pred"):
        return tensor[4:]
    if layer.endswith("mask_fcn_logits"):
        return tensor[1:]
    if layer.startswith("head.") and layer.endswith(("cls_logits", "bbox_reg")):
        by_anchor = tensor.reshape(3, 3, -1, *tensor.shape[1:])
        if layer.endswith("cls_logits"):
            by_anchor = by_anchor[:, :, 1:]
        return by_anchor.transpose(0, 1).reshape(-1, *tensor.shape[1:])
    return tensor
