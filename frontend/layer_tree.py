"""Layers as a tree: stage, block, map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def block_names(layers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the block of each layer, given as (name, stage); empty where it stands right below its stage.

    `layer1.0.conv1` and the block's own output `layer1.0` are of the block `layer1.0`. Names of somebody's own
    network are read in the same way: what two layers have in common up to their last dot is a block, unless it
    is the stage.
    """
    names = {name for name, _ in layers}
    parents = Counter(_parent(name) for name, _ in layers)
    found = {}
    for name, stage in layers:
        parent = _parent(name)
        if name in parents and name != stage:
            found[name] = name
        elif parent and parent != stage and (parent in names or parents[parent] > 1):
            found[name] = parent
        else:
            found[name] = ""
    return found


def _parent(name: str) -> str:
    return name.rpartition(".")[0]
