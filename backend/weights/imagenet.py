"""torchvision's first ImageNet weights of each backbone, as far as they are known without the file."""

from __future__ import annotations

from backend.architectures.tensors import tensor_shapes
from backend.weights.contents import TensorEntry, contiguous

CLASSES = 1000
FILES = {
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
}
"""torchvision's `IMAGENET1K_V1`, by their names in torch hub's cache."""


def entries(backbone: str) -> dict[str, TensorEntry]:
    """Return the tensors that the file of a backbone holds."""
    shapes = tensor_shapes("classifier", backbone, "batch", None, CLASSES)
    return {key: TensorEntry(shape, "float32", key, 0, contiguous(shape)) for key, shape in shapes.items()}
