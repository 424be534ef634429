"""Which kind of model is before the probe, and so what its maps are called and how images pass through it."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from worker.probe.generic import AnyModel
from worker.probe.names import body_taps, stages
from worker.probe.networks import Batched, Network
from worker.probe.one_stage import OneStage
from worker.probe.two_stage import TwoStage


def network(model: nn.Module, example: Tensor) -> Network:
    """Return how to run the model on images like the example; raises `InvalidInput` for one that cannot be."""
    if isinstance(model, GeneralizedRCNN):
        return TwoStage(model)
    if isinstance(model, RetinaNet):
        return OneStage(model)
    if _is_residual(model):
        return Batched(model, body_taps(model))
    return AnyModel(model, example)


def _is_residual(model: nn.Module) -> bool:
    """Whether a model is built of torchvision's residual blocks, or of ones with the same parts, in stages."""
    blocks = [block for stage in stages(model) for block in model.get_submodule(stage).children()]
    return bool(blocks) and all(_has(part, "conv1", "bn1", "relu") for part in (model, *blocks))


def _has(module: nn.Module, *names: str) -> bool:
    return all(isinstance(getattr(module, name, None), nn.Module) for name in names)
