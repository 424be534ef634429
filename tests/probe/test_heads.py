"""The heads that see proposals: mask head, convolutional box head, and how many proposals each is given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.ops import MultiScaleRoIAlign

from backend.errors import InvalidInput
from worker.probe.probe import EigenspectrumProbe

BEST = 3


@pytest.fixture
def mask_rcnn(make_detector: Callable[..., FasterRCNN]) -> FasterRCNN:
    model = make_detector()
    torch.manual_seed(8)
    heads = model.roi_heads
    heads.mask_roi_pool = MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
    heads.mask_head = MaskRCNNHeads(12, (10, 9), 1)
    heads.mask_predictor = nn.Conv2d(9, 4, 1)
    heads.detections_per_img = BEST
    return model


@torch.no_grad()
def proposals_of(model: FasterRCNN, image: Tensor) -> tuple[Tensor, dict[str, Tensor], list[tuple[int, int]]]:
    model.eval()
    batch, _ = model.transform([image])
    features = model.backbone(batch.tensors)
    (boxes,), _ = model.rpn(batch, features)
    return boxes, features, batch.image_sizes


def test_the_mask_head_sees_the_best_proposals(
    mask_rcnn: FasterRCNN, images: list[Tensor], dense_eigenvalues: Callable[..., np.ndarray]
) -> None:
    expected: dict[str, list[Tensor]] = {"mask_head.conv1": [], "mask_head.conv2": []}
    for image in images:
        boxes, features, sizes = proposals_of(mask_rcnn, image)
        assert len(boxes) > BEST
        with torch.no_grad():
            x = mask_rcnn.roi_heads.mask_roi_pool(features, [boxes[:BEST]], sizes)
            for name, layer in zip(expected, mask_rcnn.roi_heads.mask_head, strict=True):
                x = functional.relu(layer[0](x))
                expected[name].append(x.movedim(1, 0).flatten(1).double())
    spectra = EigenspectrumProbe(mask_rcnn, images, maps=("mask_head",)).measure()
    assert [(s.layer.name, s.layer.width) for s in spectra] == [
        ("mask_head.conv1", 10),
        ("mask_head.conv2", 9),
    ]
    for spectrum in spectra:
        reference = dense_eigenvalues(expected[spectrum.layer.name])
        assert np.abs(spectrum.eigenvalues - reference).max() <= 1e-6 * reference[0]
        assert spectrum.positions == len(images) * BEST * 14 * 14


def test_the_box_head_sees_all_proposals(mask_rcnn: FasterRCNN, images: list[Tensor]) -> None:
    counts = [len(proposals_of(mask_rcnn, image)[0]) for image in images]
    spectra = EigenspectrumProbe(mask_rcnn, images).measure()
    positions = {s.layer.name: s.positions for s in spectra if s.layer.map == "box_head"}
    assert positions == {"box_head.fc6": sum(counts), "box_head.fc7": sum(counts)}
    assert {"act", "block", "fpn", "rpn", "box_head", "mask_head"} == {s.layer.map for s in spectra}


def test_a_head_of_convolutions(
    make_detector: Callable[..., FasterRCNN],
    images: list[Tensor],
    dense_eigenvalues: Callable[..., np.ndarray],
) -> None:
    model = make_detector()
    model.roi_heads.box_head = FastRCNNConvFCHead((12, 7, 7), [8, 6], [11], norm_layer=nn.BatchNorm2d)
    expected: dict[str, list[Tensor]] = {"box_head.conv1": [], "box_head.conv2": [], "box_head.fc3": []}
    for image in images:
        boxes, features, sizes = proposals_of(model, image)
        with torch.no_grad():
            x = model.roi_heads.box_roi_pool(features, [boxes], sizes)
            for name, layer in zip(
                ("box_head.conv1", "box_head.conv2"), model.roi_heads.box_head, strict=False
            ):
                x = functional.relu(layer[1](layer[0](x)))
                expected[name].append(x.movedim(1, 0).flatten(1).double())
            rows = functional.relu(model.roi_heads.box_head[3](x.flatten(1)))
            expected["box_head.fc3"].append(rows.T.double())
    for spectrum in EigenspectrumProbe(model, images, maps=("box_head",)).measure():
        reference = dense_eigenvalues(expected.pop(spectrum.layer.name))
        assert np.abs(spectrum.eigenvalues - reference).max() <= 1e-6 * reference[0]
    assert not expected


def test_heads_of_other_kinds_are_refused(mask_rcnn: FasterRCNN, images: list[Tensor]) -> None:
    mask_rcnn.roi_heads.mask_head = nn.Identity()
    with pytest.raises(InvalidInput, match="no names for the maps of the mask head Identity"):
        EigenspectrumProbe(mask_rcnn, images)
