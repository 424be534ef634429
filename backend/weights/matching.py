"""The matching rule: which tensors of a file a network takes, which it misses and which are left over.

The residual network is taken whole or the file is refused. Every layer beyond it is taken whole, or keeps what it was
drawn with, and that is said; a shape that neither the number of categories nor the architecture explains is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from backend.architectures.tensors import Shape
from backend.errors import InvalidInput
from backend.weights.body import match_body
from backend.weights.colours import Input
from backend.weights.contents import TensorEntry
from backend.weights.heads import Heads, match_heads
from backend.weights.namings import detectron2
from backend.weights.offer import Offer, offer
from backend.weights.plan import COUNTER, LoadPlan

PARTS = {
    "backbone.fpn.": "the FPN",
    "rpn.": "the RPN",
    "roi_heads.box_": "the box head",
    "roi_heads.mask_": "the mask head",
    "head.": "RetinaNet's head",
    "fc.": "the classifier's last layer",
}
"""What a network has beyond its residual network, by the beginning of its names."""


def match(
    name: str,
    file: Mapping[str, TensorEntry],
    network: Mapping[str, Shape],
    by_class: Collection[str],
    fed: Input | None = None,
    same_categories: bool = False,
) -> LoadPlan:
    """Plan how a network takes what a file holds.

    `name` is what messages call the file, `network` the network's shapes and `by_class` those of its tensors that
    depend on the number of categories; `fed` is what the file's network took (empty: what torchvision's take), and
    `same_categories` whether its categories are known to be the dataset's. Raises `InvalidInput` where it does not fit.
    """
    both = offer(name, file, network)
    if fed is None and both.naming == detectron2.NAME:
        raise InvalidInput(
            f"init.input: {name} has Detectron2's names, which do not tell what its network was fed; take bgr_255 for "
            "Detectron2's own weights (MSRA), or rgb for those converted from torchvision's"
        )
    body = match_body(both, fed or "rgb")
    heads = match_heads(both, by_class)
    transfers = (*body, *heads.transfers)
    taken, used = ({t.key for t in transfers}, {t.source for t in transfers})
    missing = tuple(key for key in network if key not in taken and COUNTER not in key)
    left_over = tuple(key for key in file if key not in used and COUNTER not in key)
    notes = [*_notes(both, heads, missing, same_categories), *_partial(both, taken, left_over)]
    if fed == "bgr_255":
        notes.append(
            "The first convolution is turned from BGR in 0 … 255 to RGB in 0 … 1, which changes nothing else."
        )
    lost = sum(1 for key in network if key not in taken and COUNTER in key)
    if lost:
        notes.append(f"{lost} counters of batches are not among the weights; nothing uses them.")
    return LoadPlan(name, both.naming, transfers, missing, left_over, tuple(notes))


def _notes(both: Offer, heads: Heads, missing: Collection[str], same_categories: bool) -> list[str]:
    absent = [part for start, part in PARTS.items() if _wholly_absent(both, start)]
    candidates = [
        (absent, "Drawn at random, since the weights have none: {}."),
        (heads.other_categories, "Drawn at random, since the weights have another number of categories: {}."),
        (heads.elsewhere, "Drawn at random, since the weights' take another map: {}."),
        (heads.with_a_norm, "Drawn at random, since a norm follows the weights' and none follows here: {}."),
        (
            [] if same_categories else heads.same_categories,
            "Taken with the weights' categories, which must be the dataset's in the same order: {}.",
        ),
        (
            ["roi"]
            if both.naming == detectron2.NAME and any("roi_heads" in t.key for t in heads.transfers)
            else [],
            "Detectron2 pools regions half a pixel from where torchvision does: before training its heads answer a "
            "little differently here.",
        ),
    ]
    return [sentence.format(", ".join(named)) for named, sentence in candidates if named]


def _wholly_absent(both: Offer, start: str) -> bool:
    wanted = any(key.startswith(start) for key in both.keys.values())
    return wanted and not any(common.startswith(start) for common in both.sources)


def _partial(both: Offer, taken: Collection[str], left_over: Collection[str]) -> list[str]:
    """Say which parts are taken while other tensors of the file's same part are not: they no longer act as there."""
    rest = set(left_over)
    odd = [
        part
        for start, part in PARTS.items()
        if any(key.startswith(start) for key in taken)
        and any(
            common.startswith(start) and source in rest and common not in both.keys
            for common, source in both.sources.items()
        )
    ]
    return [f"Taken in part only, since the weights have more layers there: {', '.join(odd)}."] if odd else []
