"""Detectron2's names, of a whole detector or of its residual network alone.

Its heads count the background last among the scores and not at all among boxes and masks; torchvision's count it
first everywhere. Its RetinaNet orders the anchors of a position by size, then shape; torchvision's by shape, then size.
"""

from __future__ import annotations

NAME = "Detectron2"

SIGNS = tuple(
    f"{prefix}{name}"
    for prefix in ("", "backbone.", "bottom_up.", "backbone.bottom_up.")
    for name in ("stem.conv1.weight", "res2.0.conv1.weight")
)
"""Names of which one is always there."""

_PREFIX = r"(?:backbone\.)?(?:bottom_up\.)?"

BODY = (
    (rf"{_PREFIX}stem\.conv1\.norm\.", "backbone.body.bn1."),
    (rf"{_PREFIX}stem\.conv1\.", "backbone.body.conv1."),
    (rf"{_PREFIX}stem\.fc\.", "fc."),
    (rf"{_PREFIX}linear\.", "fc."),
    *(
        rule
        for number in range(1, 5)
        for rule in (
            (
                rf"{_PREFIX}res{number + 1}\.(\d+)\.conv([123])\.norm\.",
                rf"backbone.body.layer{number}.\1.bn\2.",
            ),
            (
                rf"{_PREFIX}res{number + 1}\.(\d+)\.conv([123])\.",
                rf"backbone.body.layer{number}.\1.conv\2.",
            ),
            (
                rf"{_PREFIX}res{number + 1}\.(\d+)\.shortcut\.norm\.",
                rf"backbone.body.layer{number}.\1.downsample.1.",
            ),
            (
                rf"{_PREFIX}res{number + 1}\.(\d+)\.shortcut\.",
                rf"backbone.body.layer{number}.\1.downsample.0.",
            ),
        )
    ),
)

REST = (
    (r"backbone\.fpn_lateral([2345])\.(weight|bias)", r"backbone.fpn.inner_blocks.p\1.\2"),
    (r"backbone\.fpn_output([2345])\.(weight|bias)", r"backbone.fpn.layer_blocks.p\1.\2"),
    (r"backbone\.top_block\.(p6|p7)\.", r"backbone.fpn.extra_blocks.\1."),
    (r"proposal_generator\.rpn_head\.conv\.(weight|bias)", r"rpn.head.conv.0.0.\1"),
    (r"proposal_generator\.rpn_head\.objectness_logits\.", "rpn.head.cls_logits."),
    (r"proposal_generator\.rpn_head\.anchor_deltas\.", "rpn.head.bbox_pred."),
    (r"roi_heads\.box_head\.fc1\.", "roi_heads.box_head.fc6."),
    (r"roi_heads\.box_head\.fc2\.", "roi_heads.box_head.fc7."),
    (r"roi_heads\.box_predictor\.", "roi_heads.box_predictor."),
    (r"roi_heads\.mask_head\.mask_fcn1\.(weight|bias)", r"roi_heads.mask_head.0.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn2\.(weight|bias)", r"roi_heads.mask_head.1.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn3\.(weight|bias)", r"roi_heads.mask_head.2.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn4\.(weight|bias)", r"roi_heads.mask_head.3.0.\1"),
    (r"roi_heads\.mask_head\.deconv\.", "roi_heads.mask_predictor.conv5_mask."),
    (r"roi_heads\.mask_head\.predictor\.", "roi_heads.mask_predictor.mask_fcn_logits."),
    *(
        (rf"head\.{short}_subnet\.{2 * k}\.(weight|bias)", rf"head.{long}_head.conv.{k}.0.\1")
        for short, long in (("cls", "classification"), ("bbox", "regression"))
        for k in range(4)
    ),
    (r"head\.cls_score\.", "head.classification_head.cls_logits."),
    (r"head\.bbox_pred\.", "head.regression_head.bbox_reg."),
)
"""Everything beyond the residual network."""

RETINA_SIZES, RETINA_SHAPES = 3, 3
ROWS = {
    "roi_heads.box_predictor.cls_score": "background_last",
    "roi_heads.box_predictor.bbox_pred": "boxes_without_background",
    "roi_heads.mask_predictor.mask_fcn_logits": "masks_without_background",
    "head.classification_head.cls_logits": "anchors_without_background",
    "head.regression_head.bbox_reg": "anchors",
}
"""Layers (by torchvision's names) whose outputs stand in another order; `backend.weights.rows` knows each order."""
