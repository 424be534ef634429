"""Writes docs/criteria_spectra.npz, the measured spectra of docs/criteria.md.

    python docs/criteria_spectra.py WEIGHTS ANNOTATIONS IMAGES

WEIGHTS is a ResNet-50's state dict with the strides of its stages in the first 1x1 convolutions, ANNOTATIONS a COCO
file and IMAGES the folder of its images, each of which is scaled to a shorter side of 512 pixels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torchvision.models import resnet50

from eigenscope import EigenspectrumProbe

SIDE = 512
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
DEVIATION = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def main(weights: Path, annotations: Path, folder: Path) -> None:
    """Measure and store all of them."""
    files = [folder / entry["file_name"] for entry in json.loads(annotations.read_text())["images"]]
    images = [scaled(Image.open(file).convert("RGB")) for file in files]
    trained, untrained = network(weights), network(None)
    spectra = {
        "trained": spectrum(trained, images, "layer3.5"),
        "one_image": spectrum(trained, images[:1], "layer3.5"),
        "narrow": spectrum(trained, images, "layer3.5.conv3"),
        "untrained": spectrum(untrained, images, "layer2.3"),
    }
    np.savez_compressed(Path(__file__).with_name("criteria_spectra.npz"), **spectra)


def scaled(image: Image.Image) -> Tensor:
    """Return the image (3, H, W) normalised as ImageNet's, its sides multiples of 32."""
    factor = SIDE / min(image.size) / 32
    width, height = (32 * round(side * factor) for side in image.size)
    pixels = torch.from_numpy(np.array(image.resize((width, height))))
    return (pixels.permute(2, 0, 1) / 255 - MEAN) / DEVIATION


def network(weights: Path | None) -> nn.Module:
    """Return a ResNet-50 with these weights, or with random ones of seed 0."""
    torch.manual_seed(0)
    model = resnet50()
    for stage in (model.layer2, model.layer3, model.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    if weights:
        model.load_state_dict(torch.load(weights, weights_only=True), strict=False)
    return model.eval()


def spectrum(model: nn.Module, images: list[Tensor], layer: str) -> NDArray[np.float32]:
    """Return the eigenvalues of one map, rounding below zero as zero."""
    probe = EigenspectrumProbe(model, images, maps=("conv", "block"), layers=f"^{layer}$", batch_size=1)
    (found,) = probe.measure()
    return np.maximum(found.eigenvalues, 0).astype(np.float32)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
