"""torchvision's names, today's and those of its published detectors, and so ours too."""

from __future__ import annotations

NAME = "torchvision"

SIGNS = (
    "conv1.weight",
    "layer1.0.conv1.weight",
    "backbone.body.conv1.weight",
    "backbone.body.layer1.0.conv1.weight",
)
"""Names of which one is always there."""
RETINANET = "head.classification_head."
"""What begins names in a RetinaNet only, whose pyramid starts at layer2 and not at layer1."""
FIRST_LEVEL = {False: 2, True: 3}
"""The level that the pyramid's number 0 stands for, in other detectors and in a RetinaNet."""

BODY = tuple(
    (rf"{name}\.", f"backbone.body.{name}.")
    for name in ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")
)
"""A residual network alone has its names without a prefix."""

OLDER = (
    (r"rpn\.head\.conv\.(weight|bias)", r"rpn.head.conv.0.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn1\.", "roi_heads.mask_head.0.0."),
    (r"roi_heads\.mask_head\.mask_fcn2\.", "roi_heads.mask_head.1.0."),
    (r"roi_heads\.mask_head\.mask_fcn3\.", "roi_heads.mask_head.2.0."),
    (r"roi_heads\.mask_head\.mask_fcn4\.", "roi_heads.mask_head.3.0."),
    *(
        (
            rf"head\.(classification|regression)_head\.conv\.{2 * k}\.(weight|bias)",
            rf"head.\1_head.conv.{k}.0.\2",
        )
        for k in range(4)
    ),
)
"""Before torchvision 0.14 these layers stood alone; its published weights still name them so."""


def levels(retinanet: bool) -> tuple[tuple[str, str], ...]:
    """Return the pyramid's layers by their level, `p2` … `p5`, with and without the older names' missing number."""
    first = FIRST_LEVEL[retinanet]
    return tuple(
        (
            rf"backbone\.fpn\.{kind}_blocks\.{k}\.(?:0\.)?(weight|bias)",
            rf"backbone.fpn.{kind}_blocks.p{first + k}.\1",
        )
        for kind in ("inner", "layer")
        for k in range(4)
    )
