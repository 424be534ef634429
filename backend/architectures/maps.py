"""Which kinds of feature map an architecture has."""

from __future__ import annotations

_BODY = ("conv", "norm", "act", "block")
_TWO_STAGE = (*_BODY, "fpn", "rpn", "box_head")

MAP_KINDS: dict[str, tuple[str, ...]] = {
    "faster_rcnn": _TWO_STAGE,
    "mask_rcnn": (*_TWO_STAGE, "mask_head"),
    "retinanet": (*_BODY, "fpn", "retina_head"),
    "classifier": _BODY,
}
"""By architecture, in network order."""
