"""The layer that is shown before anybody has chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from backend.models import Layer


def first_layer(layers: Sequence[Layer]) -> str:
    """Return the last block output, where the paper's difference between I and S shows most; empty of no layers."""
    blocks = [layer for layer in layers if layer.map == "block"] or list(layers)
    return blocks[-1].name if blocks else ""
