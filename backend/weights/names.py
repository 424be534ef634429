"""Which naming a set of names follows, and each name as the one that all namings are compared by.

That common name is torchvision's in a detector, with the pyramid's layers by level: `backbone.body.conv1.weight`,
`backbone.fpn.inner_blocks.p2.weight`, `rpn.head.cls_logits.weight`, `fc.weight`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from backend.errors import InvalidInput
from backend.weights.namings import detectron2, torchvision

Rules = Sequence[tuple[str, str]]


def naming_of(keys: Collection[str], name: str) -> str:
    """Return the naming that these keys follow; `name` is what messages call the file. Raises `InvalidInput`."""
    known: dict[str, tuple[str, ...]] = {
        detectron2.NAME: detectron2.SIGNS,
        torchvision.NAME: torchvision.SIGNS,
    }
    for naming, signs in known.items():
        if any(sign in keys for sign in signs):
            return naming
    first = next(iter(keys), "")
    raise InvalidInput(
        f"{name} has neither torchvision's names (conv1.weight or backbone.body.conv1.weight) nor Detectron2's "
        f"(stem.conv1.weight, with or without backbone.bottom_up. before it), but '{first[:80]}'; rename its tensors"
    )


def common_names(keys: Collection[str], naming: str) -> dict[str, str]:
    """Return the common name of each key; one that no rule knows stays as it is."""
    rules: Rules = (*detectron2.BODY, *detectron2.REST)
    if naming == torchvision.NAME:
        retinanet = any(key.startswith(torchvision.RETINANET) for key in keys)
        rules = (*torchvision.BODY, *torchvision.levels(retinanet), *torchvision.OLDER)
    compiled = [(re.compile(pattern), template) for pattern, template in rules]
    return {key: _renamed(key, compiled) for key in keys}


def _renamed(key: str, rules: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, template in rules:
        if found := pattern.match(key):
            return found.expand(template) + key[found.end() :]
    return key
