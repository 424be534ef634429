"""Which layers are shown: those that are asked for, and the one that is before anybody has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from backend.models import Layer


def first_layer(layers: Sequence[Layer]) -> str:
    """Return the last block output, where the paper's difference between I and S shows most; empty of no layers."""
    blocks = [layer for layer in layers if layer.map == "block"] or list(layers)
    return blocks[-1].name if blocks else ""


def layers_of(names: Sequence[str], text: str) -> list[str]:
    """Return the names that `text` lists, in the order of `names`, which is the network's.

    It is as an address has it: names with commas between, `FIRST..LAST` for all from one to the other; a comma,
    percent, tilde or `..` inside a name is percent-encoded. What is none of the names is left out.
    """
    places = {name: place for place, name in enumerate(names)}
    chosen: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("..")
        ends = [places.get(unquote(one.strip())) for one in (first, last or first)]
        if None not in ends:
            chosen.update(range(ends[0] or 0, (ends[1] or 0) + 1))
    return [name for place, name in enumerate(names) if place in chosen]


def block_outputs(layers: Sequence[Layer]) -> list[str]:
    """Return the names of the blocks' outputs, of all layers where there are none."""
    return [layer.name for layer in layers if layer.map == "block"] or [layer.name for layer in layers]
