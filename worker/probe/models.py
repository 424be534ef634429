"""Which kind of model is before the probe, and so what its maps are called and how images pass through it."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from backend.errors import InvalidInput
from worker.probe.detector import Detector
from worker.probe.names import body_taps, stages
from worker.probe.networks import Batched, Network


def network(model: nn.Module, example: Tensor) -> Network:
    """Return how to run the model; raises `InvalidInput` for one whose maps have no names."""
    if isinstance(model, GeneralizedRCNN):
        return Detector(model)
    if hasattr(model, "conv1") and stages(model):
        return Batched(model, body_taps(model))
    raise InvalidInput(
        f"the probe knows torchvision's detectors and residual networks, not {type(model).__name__}"
    )
