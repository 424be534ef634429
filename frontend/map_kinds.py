"""The kinds of map: what people call them, and what their positions are."""

from __future__ import annotations

from backend.runs.specification import PROPOSAL_KINDS

ABOUT = {
    "conv": "output of a convolution",
    "norm": "output of a norm layer",
    "act": "after ReLU",
    "block": "output of a residual block, after the add and ReLU",
    "fpn": "inner and output maps of the FPN",
    "rpn": "the RPN's convolution, once per level",
    "box_head": "activations of the box head; positions are the proposals'",
    "mask_head": "activations of the mask head; positions are the proposals'",
    "retina_head": "RetinaNet's subnets, after ReLU, once per level",
    "linear": "output of a linear layer",
}
"""Every kind, from input to output. A recorded run may have others: they are called what they are called."""

SIZELESS = PROPOSAL_KINDS | {"linear"}
"""Kinds that get no more positions from larger images."""

PROPOSALS_NOTE = "positions are the proposals'"


def kind_label(kind: str) -> str:
    """Return what a list of layers calls a kind."""
    return kind.replace("_", " ")


def position_note(kind: str) -> str:
    """Return what must be said of the positions of a kind; empty where they are the image's."""
    return PROPOSALS_NOTE if kind in PROPOSAL_KINDS else ""
