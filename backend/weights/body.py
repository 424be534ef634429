"""The residual network's part of the matching rule: it is taken whole, or the file is refused."""

from __future__ import annotations

from backend.architectures.tensors import BODY
from backend.errors import InvalidInput
from backend.weights.colours import FOLDED, Input
from backend.weights.offer import Offer
from backend.weights.plan import COUNTER, Transfer

FIRST_CONVOLUTION = f"{BODY}conv1.weight"


def match_body(offer: Offer, fed: Input) -> list[Transfer]:
    """Return what the residual network takes. Raises `InvalidInput` naming the first tensor that does not fit."""
    for common, source in offer.sources.items():
        if common.startswith(BODY) and common not in offer.keys and COUNTER not in common:
            raise InvalidInput(
                f"{offer.name} holds '{source}', which the model does not have; {_mend(common)}"
            )
    return [
        _transfer(offer, common, fed)
        for common in offer.keys
        if common.startswith(BODY) and (common in offer.sources or COUNTER not in common)
    ]


def _transfer(offer: Offer, common: str, fed: Input) -> Transfer:
    wanted = offer.shapes[common]
    if common not in offer.sources:
        raise InvalidInput(
            f"{offer.name} lacks '{offer.shown(common)}' {wanted}, which the model has; {_mend(common)}"
        )
    if offer.entries[common].shape != wanted:
        raise shape_error(offer, common)
    inputs = FOLDED[fed] if common == FIRST_CONVOLUTION else ()
    return Transfer(offer.keys[common], offer.sources[common], inputs=inputs)


def shape_error(offer: Offer, common: str) -> InvalidInput:
    """Return the error that names a tensor of another shape than the network's."""
    return InvalidInput(
        f"{offer.name} holds '{offer.sources[common]}' with shape {offer.entries[common].shape}, but the model's has "
        f"{offer.shapes[common]}; choose the backbone and widths that the weights were made with, or other weights"
    )


def _mend(common: str) -> str:
    if "running_" in common:
        return "choose model.norm batch or frozen_batch for weights with running statistics, group for those without"
    return "choose the architecture and backbone that the weights were made with, or other weights"
