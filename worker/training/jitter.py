"""Scale jitter's other half: a detector that leaves the size of a training image as it was drawn."""

from __future__ import annotations

from torch import nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform


def keep_drawn_sizes(model: nn.Module) -> None:
    """Let a detector take training images in the size they have; in evaluation it resizes them as before.

    torchvision's own way to vary sizes draws them from torch's global generator, so that a batch would depend on what
    else drew from it. Its transform's `_skip_resize` leaves them to `sampling`, a function of seed and position. A
    classifier has no such transform: its crops have one size.
    """
    for module in model.modules():
        if isinstance(module, GeneralizedRCNNTransform):
            module._skip_resize = True
