"""Width groups: the names under which a network's channels may be set, and what each is by default."""

from __future__ import annotations

from collections.abc import Mapping

DEPTHS: dict[str, tuple[int, int, int, int]] = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
}
BOTTLENECKS = frozenset({"resnet50", "resnet101"})
BOTTLENECK_EXPANSION = 4
STEM_WIDTH = 64
NECK_AND_HEADS: dict[str, dict[str, int]] = {
    "faster_rcnn": {"fpn": 256, "box_head": 1024},
    "mask_rcnn": {"fpn": 256, "box_head": 1024, "mask_head": 256},
    "retinanet": {"fpn": 256, "retina_head": 256},
    "classifier": {},
}
"""What each architecture has beyond its residual network, with torchvision's widths.

`fpn` are the channels of every FPN level and of the RPN, `box_head` the outputs of both layers of the box head,
`mask_head` those of the mask head's four convolutions and of its transposed one, `retina_head` those of the four
convolutions of each of RetinaNet's subnets.
"""


def is_bottleneck(backbone: str) -> bool:
    """Whether the backbone's blocks are 1x1, 3x3, 1x1 (else 3x3, 3x3). Raises ValueError if it is unknown."""
    if backbone not in DEPTHS:
        raise ValueError(f"there is no backbone '{backbone}'; take one of {', '.join(DEPTHS)}")
    return backbone in BOTTLENECKS


def standard_widths(architecture: str, backbone: str) -> dict[str, int]:
    """Return the default width of every group, in network order.

    Groups are `stem`, `layer1` … `layer4` (the outputs of a stage's blocks, tied by the residual sums),
    `layer1.0.conv1` and, in bottlenecks, `layer1.0.conv2` (inside a block), and for a detector those of
    `NECK_AND_HEADS`. Raises ValueError for an unknown architecture or backbone.
    """
    if architecture not in NECK_AND_HEADS:
        raise ValueError(
            f"there is no architecture '{architecture}'; take one of {', '.join(NECK_AND_HEADS)}"
        )
    inner: tuple[str, ...] = ("conv1",)
    expansion = 1
    if is_bottleneck(backbone):
        inner, expansion = ("conv1", "conv2"), BOTTLENECK_EXPANSION
    widths = {"stem": STEM_WIDTH}
    for stage, depth in enumerate(DEPTHS[backbone], start=1):
        base = STEM_WIDTH * 2 ** (stage - 1)
        widths[f"layer{stage}"] = base * expansion
        widths |= {f"layer{stage}.{block}.{name}": base for block in range(depth) for name in inner}
    return widths | NECK_AND_HEADS[architecture]


def resolved_widths(architecture: str, backbone: str, widths: Mapping[str, int] | None) -> dict[str, int]:
    """Return the width of every group: the given ones, and the standard where none is given.

    Raises ValueError for a group that the network does not have (naming those it has) or a width below 1.
    """
    standard = standard_widths(architecture, backbone)
    for group, width in (widths or {}).items():
        if group not in standard:
            raise ValueError(_unknown(group, architecture, backbone, standard))
        if width < 1:
            raise ValueError(f"width group '{group}' has width {width}; give it at least 1 channel")
    return standard | dict(widths or {})


def body_widths(widths: Mapping[str, int] | None) -> dict[str, int]:
    """Return those of the given widths that are the residual network's and not a detector's neck or head's."""
    others = {group for groups in NECK_AND_HEADS.values() for group in groups}
    return {group: width for group, width in (widths or {}).items() if group not in others}


def _unknown(group: str, architecture: str, backbone: str, standard: Mapping[str, int]) -> str:
    last = f"layer4.{DEPTHS[backbone][-1] - 1}"
    inside = f"layer1.0 … {last} followed by .conv1{' or .conv2' if is_bottleneck(backbone) else ''}"
    known = ", ".join([name for name in standard if "." not in name] + [inside])
    return f"there is no width group '{group}' in a {backbone} {architecture}; take {known}"
