"""Everything beyond the residual network: each layer is taken whole, or drawn anew and said."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from backend.architectures.tensors import BODY
from backend.weights.body import shape_error
from backend.weights.namings import detectron2
from backend.weights.offer import Offer
from backend.weights.plan import Transfer
from backend.weights.rows import ORDERS, Rows

ELSEWHERE = "backbone.fpn.extra_blocks."
"""RetinaNet's P6 and P7: over layer4 in Detectron2 and over the pyramid here, so that they need not fit."""


@dataclass(slots=True)
class Heads:
    """What the layers take, and the layers (by the network's names) that keep what they were drawn with."""

    transfers: list[Transfer] = field(default_factory=list)
    other_categories: list[str] = field(default_factory=list)
    same_categories: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    with_a_norm: list[str] = field(default_factory=list)


def match_heads(offer: Offer, by_class: Collection[str]) -> Heads:
    """Decide for every layer; `by_class` are the network's tensors whose shape depends on the number of categories.

    Raises `InvalidInput` for a shape that the number of categories does not explain.
    """
    found = Heads()
    for layer, names in _layers(offer):
        there = [common for common in names if common in offer.sources]
        own = offer.keys[names[0]].rpartition(".")[0]
        if not there:
            continue
        if len(there) < len(names):
            # A convolution without a bias has a norm after it, which torchvision's detectors have not.
            found.with_a_norm.append(own)
            continue
        rows = [_rows(offer, layer, common) for common in names]
        depends = [offer.keys[common] in by_class for common in names]
        if all(row is not None for row in rows):
            found.transfers += _transfers(offer, names, rows)
            found.same_categories += [own] if any(depends) else []
        elif all(depends) and _differ_in_outputs_only(offer, names):
            found.other_categories.append(own)
        elif layer.startswith(ELSEWHERE):
            found.elsewhere.append(own)
        else:
            raise shape_error(offer, next(c for c, row in zip(names, rows, strict=True) if row is None))
    return found


def _layers(offer: Offer) -> Iterator[tuple[str, list[str]]]:
    """Yield each layer of the network beyond the residual network, with the common names of its tensors."""
    layers: dict[str, list[str]] = {}
    for common in offer.keys:
        if not common.startswith(BODY):
            layers.setdefault(common.rpartition(".")[0], []).append(common)
    yield from layers.items()


def _rows(offer: Offer, layer: str, common: str) -> Rows | None:
    """Return the order of a tensor's outputs, empty where they stand as they are; None where it does not fit."""
    given, wanted = offer.entries[common].shape, offer.shapes[common]
    order = detectron2.ROWS.get(layer) if offer.naming == detectron2.NAME else None
    if order is None:
        return () if given == wanted else None
    if len(given) != len(wanted) or given[1:] != wanted[1:]:
        return None
    return ORDERS[order](given[0], wanted[0]) or None


def _transfers(offer: Offer, names: list[str], rows: list[Rows | None]) -> list[Transfer]:
    return [
        Transfer(offer.keys[common], offer.sources[common], rows=row or ())
        for common, row in zip(names, rows, strict=True)
    ]


def _differ_in_outputs_only(offer: Offer, names: list[str]) -> bool:
    pairs = [(offer.entries[common].shape, offer.shapes[common]) for common in names]
    return all(given and given[1:] == wanted[1:] for given, wanted in pairs)
