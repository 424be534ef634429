"""Which maps say how wide each group is to be, and what they say together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backend.architectures.widths import standard_widths
from backend.errors import InvalidInput

Tie = Literal["max", "mean"]

HEADS = {
    "fpn": r"fpn\.p\d+",
    "box_head": r"box_head\.(fc|conv)\d+",
    "mask_head": r"mask_head\.conv\d+",
    "retina_head": r"(cls|bbox)_subnet\.conv\d+\.p\d+",
}
"""A detector's groups beyond its residual network, and the names of the maps that speak for each."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One map at one iteration: its dimensionality, and its positions per channel (all probe images together)."""

    dimensionality: float
    positions_per_channel: float


@dataclass(frozen=True, slots=True)
class Group:
    """A width group, the maps that were asked about it, and their answer.

    `dimensionality` is their maximum or mean, `positions_per_channel` the least of them.
    """

    name: str
    layers: tuple[str, ...]
    dimensionality: float
    positions_per_channel: float


def chosen_groups(architecture: str, backbone: str, include: Sequence[str]) -> list[str]:
    """Return the groups that a plan sets, in network order: the residual network's, and of the others those named.

    Raises `InvalidInput` for a group that the architecture has not.
    """
    known = list(standard_widths(architecture, backbone))
    for name in include:
        if name not in known:
            others = [group for group in known if group in HEADS]
            raise InvalidInput(
                f"include: a {architecture} has no width group '{name}'; take some of {', '.join(others) or 'none'}"
            )
    return [group for group in known if group not in HEADS or group in include]


def measured_groups(
    architecture: str, backbone: str, include: Sequence[str], measured: Mapping[str, Measured], tie: Tie
) -> list[Group]:
    """Return what the maps of a run say about each group.

    The stem is told by `act1`, the inside of a block by the map after its ReLU, and a stage's residual width by the
    outputs of its blocks alone, which share it: the last convolution of a bottleneck maps C/4 channels to C, so that
    its own map has at most C/4 (+ 1) dimensions by construction. Raises `InvalidInput` naming the map that is missing,
    or the group in which no dimension is left.
    """
    return [
        _group(group, _layers(group, measured), measured, tie)
        for group in chosen_groups(architecture, backbone, include)
    ]


def _group(name: str, layers: Sequence[str], measured: Mapping[str, Measured], tie: Tie) -> Group:
    found = [measured[layer] for layer in layers]
    told = np.array([one.dimensionality for one in found])
    dimensionality = float(told.max() if tie == "max" else told.mean())
    if not dimensionality > 0:
        raise InvalidInput(
            f"the group '{name}' has {dimensionality:g} dimensions by this criterion (from {', '.join(layers)}), so "
            "that no width follows; lower the threshold, or take another criterion or iteration"
        )
    return Group(name, tuple(layers), dimensionality, min(one.positions_per_channel for one in found))


def _layers(group: str, measured: Mapping[str, Measured]) -> list[str]:
    pattern = HEADS.get(group)
    if pattern is not None:
        found = [layer for layer in measured if re.fullmatch(pattern, layer)]
        return found or _missing(group, group)
    if re.fullmatch(r"layer\d", group):
        outputs = [layer for layer in measured if re.fullmatch(rf"{group}\.\d+", layer)]
        return outputs or _missing(group, f"{group}.0")
    # After the ReLU that follows the group's convolution.
    wanted = "act1" if group == "stem" else group.replace(".conv", ".act")
    return [wanted] if wanted in measured else _missing(group, wanted)


def _missing(group: str, layer: str) -> list[str]:
    raise InvalidInput(
        f"the spectrum of '{layer}', which the width of '{group}' is taken from, was not logged at this iteration; "
        "probe with the maps act and block (and fpn or heads where they are included) and without probe.layers"
    )
