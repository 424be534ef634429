"""From a model specification to a torch module: torchvision's own detectors on our backbones, or a classifier."""

from worker.training.detectors.build import build_model
from worker.training.detectors.pyramid import BODY

__all__ = ["BODY", "build_model"]
